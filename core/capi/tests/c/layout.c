/* Sizes, offsets and values are those that netioddk.h documents for 64 bits; and the callbacks' types of functions
 * are those of their pointers. What is wrong here does not compile. */
#include <stddef.h>

#include "netioddk.h"

#ifdef __cplusplus
#define ASSERT_THAT(condition) static_assert(condition, #condition)
#else
#define ASSERT_THAT(condition) _Static_assert(condition, #condition)
#endif
#define AT(type, member, offset) ASSERT_THAT(offsetof(type, member) == (offset))

ASSERT_THAT(sizeof(NTSTATUS) == 4 && (NTSTATUS)-1 < 0);
ASSERT_THAT(sizeof(USHORT) == 2 && sizeof(ULONG) == 4 && sizeof(HANDLE) == 8 && sizeof(BOOLEAN) == 1);

ASSERT_THAT(sizeof(GUID) == 16);
AT(GUID, Data1, 0);
AT(GUID, Data2, 4);
AT(GUID, Data3, 6);
AT(GUID, Data4, 8);

ASSERT_THAT(sizeof(LUID) == 8);
AT(LUID, LowPart, 0);
AT(LUID, HighPart, 4);

ASSERT_THAT(sizeof(NPI_MODULEID_TYPE) == 4 && MIT_GUID == 1 && MIT_IF_LUID == 2);
ASSERT_THAT(sizeof(NPI_MODULEID) == 24);
AT(NPI_MODULEID, Length, 0);
AT(NPI_MODULEID, Type, 4);
AT(NPI_MODULEID, Guid, 8);
AT(NPI_MODULEID, IfLuid, 8);

ASSERT_THAT(sizeof(NPI_REGISTRATION_INSTANCE) == 40);
AT(NPI_REGISTRATION_INSTANCE, Version, 0);
AT(NPI_REGISTRATION_INSTANCE, Size, 2);
AT(NPI_REGISTRATION_INSTANCE, NpiId, 8);
AT(NPI_REGISTRATION_INSTANCE, ModuleId, 16);
AT(NPI_REGISTRATION_INSTANCE, Number, 24);
AT(NPI_REGISTRATION_INSTANCE, NpiSpecificCharacteristics, 32);

ASSERT_THAT(sizeof(NPI_CLIENT_CHARACTERISTICS) == 72);
AT(NPI_CLIENT_CHARACTERISTICS, Version, 0);
AT(NPI_CLIENT_CHARACTERISTICS, Length, 2);
AT(NPI_CLIENT_CHARACTERISTICS, ClientAttachProvider, 8);
AT(NPI_CLIENT_CHARACTERISTICS, ClientDetachProvider, 16);
AT(NPI_CLIENT_CHARACTERISTICS, ClientCleanupBindingContext, 24);
AT(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance, 32);

ASSERT_THAT(sizeof(NPI_PROVIDER_CHARACTERISTICS) == 72);
AT(NPI_PROVIDER_CHARACTERISTICS, Version, 0);
AT(NPI_PROVIDER_CHARACTERISTICS, Length, 2);
AT(NPI_PROVIDER_CHARACTERISTICS, ProviderAttachClient, 8);
AT(NPI_PROVIDER_CHARACTERISTICS, ProviderDetachClient, 16);
AT(NPI_PROVIDER_CHARACTERISTICS, ProviderCleanupBindingContext, 24);
AT(NPI_PROVIDER_CHARACTERISTICS, ProviderRegistrationInstance, 32);

ASSERT_THAT(sizeof(NMREX_REGISTRAR_LIMITS) == 16);
AT(NMREX_REGISTRAR_LIMITS, Size, 0);
AT(NMREX_REGISTRAR_LIMITS, MaxRegistrations, 4);
AT(NMREX_REGISTRAR_LIMITS, MaxBindings, 8);
AT(NMREX_REGISTRAR_LIMITS, FailReservation, 12);

ASSERT_THAT((uint32_t)STATUS_SUCCESS == 0x00000000u && NT_SUCCESS(STATUS_SUCCESS));
ASSERT_THAT((uint32_t)STATUS_PENDING == 0x00000103u && NT_SUCCESS(STATUS_PENDING));
ASSERT_THAT((uint32_t)STATUS_INVALID_PARAMETER == 0xC000000Du && !NT_SUCCESS(STATUS_INVALID_PARAMETER));
ASSERT_THAT((uint32_t)STATUS_INSUFFICIENT_RESOURCES == 0xC000009Au);
ASSERT_THAT((uint32_t)STATUS_INTERNAL_ERROR == 0xC00000E5u);
ASSERT_THAT((uint32_t)STATUS_INVALID_DEVICE_STATE == 0xC0000184u);
ASSERT_THAT((uint32_t)STATUS_POSSIBLE_DEADLOCK == 0xC0000194u);
ASSERT_THAT((uint32_t)STATUS_NOINTERFACE == 0xC00002B9u);

/* Declared by type, as code for Windows does it, and never called. */
NPI_CLIENT_ATTACH_PROVIDER_FN attach_provider;
NPI_CLIENT_DETACH_PROVIDER_FN detach_provider;
NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup_client;
NPI_PROVIDER_ATTACH_CLIENT_FN attach_client;
NPI_PROVIDER_DETACH_CLIENT_FN detach_client;
NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN cleanup_provider;

NTSTATUS attach_provider(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  (void)binding, (void)context, (void)provider;
  return STATUS_NOINTERFACE;
}
NTSTATUS detach_provider(PVOID context)
{
  (void)context;
  return STATUS_SUCCESS;
}
VOID cleanup_client(PVOID context)
{
  (void)context;
}
NTSTATUS attach_client(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
                       CONST VOID *client_dispatch, PVOID *provider_context, CONST VOID **dispatch)
{
  (void)binding, (void)context, (void)client, (void)client_context, (void)client_dispatch;
  (void)provider_context, (void)dispatch;
  return STATUS_NOINTERFACE;
}
NTSTATUS detach_client(PVOID context)
{
  (void)context;
  return STATUS_SUCCESS;
}
VOID cleanup_provider(PVOID context)
{
  (void)context;
}

static const NPI_CLIENT_CHARACTERISTICS client = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), attach_provider, detach_provider, cleanup_client,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), NULL, NULL, 0, NULL}};
static const NPI_PROVIDER_CHARACTERISTICS provider = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), attach_client, detach_client, cleanup_provider,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), NULL, NULL, 0, NULL}};

int main(void)
{
  /* NmrIsEqualNpiModuleId tells modules apart by type and name, and not by what lies beside them. */
  NPI_MODULEID one = {sizeof(NPI_MODULEID), MIT_GUID, {{1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}}};
  NPI_MODULEID same = one;
  NPI_MODULEID other = one;
  NPI_MODULEID luid = one;
  NPI_MODULEID unknown = one;
  same.Length = 0;
  other.Guid.Data4[7] = 0;
  luid.Type = MIT_IF_LUID;
  memset(&unknown.Type, 0x7f, sizeof(unknown.Type));
  if (!NmrIsEqualNpiModuleId(&one, &same) || NmrIsEqualNpiModuleId(&one, &other)) {
    return 1;
  }
  if (NmrIsEqualNpiModuleId(&one, &luid) || NmrIsEqualNpiModuleId(&unknown, &unknown)) {
    return 2;
  }
  same = luid;
  same.Guid.Data4[7] = 0;
  if (!NmrIsEqualNpiModuleId(&luid, &same)) {
    return 3;
  }
  same.IfLuid.HighPart ^= 1;
  if (NmrIsEqualNpiModuleId(&luid, &same)) {
    return 4;
  }
  return client.Version + provider.Version;
}
