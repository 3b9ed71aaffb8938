/* A client and a provider as they would be in two drivers, and a test of both: the provider greets, the client asks it
 * to. Nothing in the modules is about user mode. */
#include <stdio.h>
#include <stdlib.h>

#include <netioddk.h>

/* The interface: what a header that both drivers include would have. */
typedef const char *(*GREETING_GREET)(PVOID ProviderBindingContext);

typedef struct _GREETING_DISPATCH {
  GREETING_GREET Greet;
} GREETING_DISPATCH;

static const NPIID GREETING_NPIID = {0x8f1c65a0, 0x0b5e, 0x4a57, {0x9a, 0x57, 0x3c, 0x2f, 0x64, 0xf0, 0x1d, 0x02}};

/* The provider. */
static const char *ProviderGreet(PVOID ProviderBindingContext)
{
  UNREFERENCED_PARAMETER(ProviderBindingContext);
  return "Hello, world!";
}

static const GREETING_DISPATCH ProviderDispatchTable = {ProviderGreet};

static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;

_Use_decl_annotations_
static NTSTATUS ProviderAttachClient(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ProviderContext,
    _In_ PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    _In_ PVOID ClientBindingContext,
    _In_ CONST VOID *ClientDispatch,
    _Out_ PVOID *ProviderBindingContext,
    _Out_ CONST VOID **ProviderDispatch)
{
  UNREFERENCED_PARAMETER(NmrBindingHandle);
  UNREFERENCED_PARAMETER(ClientRegistrationInstance);
  UNREFERENCED_PARAMETER(ClientBindingContext);
  UNREFERENCED_PARAMETER(ClientDispatch);
  PAGED_CODE();
  *ProviderBindingContext = ProviderContext;
  *ProviderDispatch = &ProviderDispatchTable;
  return STATUS_SUCCESS;
}

static NTSTATUS ProviderDetachClient(_In_ PVOID ProviderBindingContext)
{
  UNREFERENCED_PARAMETER(ProviderBindingContext);
  return STATUS_SUCCESS;
}

static const NPI_MODULEID ProviderModuleId = {sizeof(NPI_MODULEID), MIT_GUID, {{0xF, 0, 0, {0}}}};

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
    .ProviderAttachClient = ProviderAttachClient,
    .ProviderDetachClient = ProviderDetachClient,
    .ProviderRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &GREETING_NPIID,
        .ModuleId = &ProviderModuleId,
    },
};

/* The client. */
typedef struct _CLIENT_BINDING {
  HANDLE NmrBindingHandle;
  PVOID ProviderBindingContext;
  const GREETING_DISPATCH *ProviderDispatch;
} CLIENT_BINDING;

static CLIENT_BINDING *ClientBinding;

static NTSTATUS ClientAttachProvider(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ClientContext,
    _In_ PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
  CLIENT_BINDING *Binding = malloc(sizeof(*Binding));
  CONST VOID *Dispatch;
  NTSTATUS Status;

  UNREFERENCED_PARAMETER(ClientContext);
  UNREFERENCED_PARAMETER(ProviderRegistrationInstance);
  if (Binding == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  Status = NmrClientAttachProvider(NmrBindingHandle, Binding, NULL, &Binding->ProviderBindingContext, &Dispatch);
  if (!NT_SUCCESS(Status)) {
    free(Binding);
    return Status;
  }
  Binding->NmrBindingHandle = NmrBindingHandle;
  Binding->ProviderDispatch = Dispatch;
  ClientBinding = Binding;
  return STATUS_SUCCESS;
}

static NTSTATUS ClientDetachProvider(_In_ PVOID ClientBindingContext)
{
  UNREFERENCED_PARAMETER(ClientBindingContext);
  ClientBinding = NULL;
  return STATUS_SUCCESS;
}

static VOID ClientCleanupBindingContext(_In_ PVOID ClientBindingContext)
{
  free(ClientBindingContext);
}

static const NPI_MODULEID ClientModuleId = {sizeof(NPI_MODULEID), MIT_GUID, {{0xC, 0, 0, {0}}}};

static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = ClientAttachProvider,
    .ClientDetachProvider = ClientDetachProvider,
    .ClientCleanupBindingContext = ClientCleanupBindingContext,
    .ClientRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &GREETING_NPIID,
        .ModuleId = &ClientModuleId,
    },
};

/* The test: what DriverEntry and Unload of the two would do, and what is expected of it. */
#define EXPECT(Condition)                                       \
  do {                                                          \
    if (!(Condition)) {                                         \
      fprintf(stderr, "line %d: %s\n", __LINE__, #Condition);   \
      return EXIT_FAILURE;                                      \
    }                                                           \
  } while (0)

int main(void)
{
  HANDLE Client, Provider;

  EXPECT(NmrRegisterClient(&ClientCharacteristics, NULL, &Client) == STATUS_SUCCESS);
  EXPECT(ClientBinding == NULL);
  EXPECT(NmrRegisterProvider(&ProviderCharacteristics, NULL, &Provider) == STATUS_SUCCESS);
  EXPECT(ClientBinding != NULL);
  puts(ClientBinding->ProviderDispatch->Greet(ClientBinding->ProviderBindingContext));

  EXPECT(NmrDeregisterProvider(Provider) == STATUS_PENDING);
  EXPECT(NmrWaitForProviderDeregisterComplete(Provider) == STATUS_SUCCESS);
  EXPECT(ClientBinding == NULL);
  EXPECT(NmrDeregisterClient(Client) == STATUS_PENDING);
  EXPECT(NmrWaitForClientDeregisterComplete(Client) == STATUS_SUCCESS);
  return EXIT_SUCCESS;
}
