/* A client driver whose detach takes a while: it answers STATUS_PENDING, and its worker completes when the last request is back.
 * With NMR_BUG the worker looks at the binding once more after that. */
#define NMREX_IMPLEMENTATION
#include <nmrex_module.h>

typedef struct _BINDING {
  HANDLE NmrBindingHandle;
  PVOID ProviderContext;
  const VOID *ProviderDispatch;
  ULONG Requests;
} BINDING;

static HANDLE NmrClientHandle;

static NTSTATUS ClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext, PNPI_REGISTRATION_INSTANCE Provider)
{
  BINDING *Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(BINDING), 'dniB');
  NTSTATUS Status;

  UNREFERENCED_PARAMETER(ClientContext);
  UNREFERENCED_PARAMETER(Provider);
  if (Binding == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  Binding->NmrBindingHandle = NmrBindingHandle;
  Binding->Requests = 1;
  Status = NmrClientAttachProvider(
      NmrBindingHandle, Binding, NULL, &Binding->ProviderContext, &Binding->ProviderDispatch);
  if (!NT_SUCCESS(Status)) {
    ExFreePoolWithTag(Binding, 'dniB');
  }
  return Status;
}

static NTSTATUS ClientDetachProvider(PVOID ClientBindingContext)
{
  BINDING *Binding = ClientBindingContext;
  return Binding->Requests == 0 ? STATUS_SUCCESS : STATUS_PENDING;
}

static VOID ClientCleanupBindingContext(PVOID ClientBindingContext)
{
  ExFreePoolWithTag(ClientBindingContext, 'dniB');
}

/* The worker: the last request of a binding is back. */
static VOID LastRequestIsBack(PVOID ClientBindingContext)
{
  BINDING *Binding = ClientBindingContext;
#ifdef NMR_BUG
  NmrClientDetachProviderComplete(Binding->NmrBindingHandle);
  Binding->Requests = 0;
#else
  Binding->Requests = 0;
  NmrClientDetachProviderComplete(Binding->NmrBindingHandle);
#endif
}

static const NPIID InterfaceId = {0x8f1c65a0, 0x0b5e, 0x4a57, {0x9a, 0x57, 0x3c, 0x2f, 0x64, 0xf0, 0x1d, 0x02}};
static const NPI_MODULEID ClientModuleId = {sizeof(NPI_MODULEID), MIT_GUID, {{0xC, 0, 0, {0}}}};

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = ClientAttachProvider,
    .ClientDetachProvider = ClientDetachProvider,
    .ClientCleanupBindingContext = ClientCleanupBindingContext,
    .ClientRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &InterfaceId,
        .ModuleId = &ClientModuleId,
    },
};

static NTSTATUS Register(VOID)
{
  return NmrRegisterClient(&Characteristics, NULL, &NmrClientHandle);
}

static VOID Deregister(VOID)
{
  NmrDeregisterClient(NmrClientHandle);
}

static VOID Wait(VOID)
{
  NmrWaitForClientDeregisterComplete(NmrClientHandle);
}

const NMREX_MODULE NmrExModule = {
    .Size = sizeof(NMREX_MODULE),
    .Register = Register,
    .Deregister = Deregister,
    .Wait = Wait,
    .Complete = LastRequestIsBack,
};
