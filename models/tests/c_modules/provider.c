/* A provider that attaches to whoever comes, and hands over 42 and a dispatch table that is none. */
#define NMREX_IMPLEMENTATION
#include <nmrex_module.h>

static HANDLE Provider;

static NTSTATUS Attach(
    HANDLE Binding, PVOID Context, PNPI_REGISTRATION_INSTANCE Client, PVOID ClientContext, CONST VOID *ClientDispatch,
    PVOID *Own, CONST VOID **OwnDispatch)
{
  int *Value = malloc(sizeof(*Value));
  (void)Binding, (void)Context, (void)Client, (void)ClientContext, (void)ClientDispatch;
  *Value = 42;
  *Own = Value;
  *OwnDispatch = (PVOID)8;
  return STATUS_SUCCESS;
}

static NTSTATUS Detach(PVOID Context)
{
  (void)Context;
  return STATUS_SUCCESS;
}

static const NPIID Interface = {1, 2, 3, {4}};
static const NPI_MODULEID Module = {sizeof(NPI_MODULEID), MIT_GUID, {{6, 0, 0, {0}}}};

static const NPI_PROVIDER_CHARACTERISTICS Characteristics = {
    .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
    .ProviderAttachClient = Attach,
    .ProviderDetachClient = Detach,
    .ProviderCleanupBindingContext = free,
    .ProviderRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &Interface,
        .ModuleId = &Module,
    },
};

static NTSTATUS Register(VOID)
{
  return NmrRegisterProvider(&Characteristics, NULL, &Provider);
}

static VOID Deregister(VOID)
{
  NmrDeregisterProvider(Provider);
}

static VOID Wait(VOID)
{
  NmrWaitForProviderDeregisterComplete(Provider);
}

const NMREX_MODULE NmrExModule = {
    .Size = sizeof(NMREX_MODULE),
    .Register = Register,
    .Deregister = Deregister,
    .Wait = Wait,
};
