/* Every status code, and every bad argument: nothing is done, and nobody is called. */
#include "test.h"

static const NPIID NPI = {7, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};
static NPI_MODULEID MODULE;
static int calls;

/* What the client's attach callback does next; it notes the binding and what it was answered. */
static NTSTATUS (*attach_next)(HANDLE binding);
static HANDLE binding_seen;

static NTSTATUS attach_provider(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  (void)context, (void)provider;
  ADD(calls, 1);
  binding_seen = binding;
  return attach_next(binding);
}

static NTSTATUS provider_answers = STATUS_SUCCESS;

static NTSTATUS attach_client(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                              PVOID client_context, const VOID *client_dispatch, PVOID *provider_context,
                              const VOID **dispatch)
{
  (void)binding, (void)context, (void)client, (void)client_context, (void)client_dispatch;
  ADD(calls, 1);
  *provider_context = &calls;
  *dispatch = &MODULE;
  return provider_answers;
}

static NTSTATUS detach_answers = STATUS_SUCCESS;

static NTSTATUS detach(PVOID context)
{
  (void)context;
  ADD(calls, 1);
  return detach_answers;
}

static VOID cleanup(PVOID context)
{
  (void)context;
  ADD(calls, 1);
}

static NPI_CLIENT_CHARACTERISTICS client(void)
{
  return client_of(&NPI, &MODULE, attach_provider, detach, cleanup);
}

static NPI_PROVIDER_CHARACTERISTICS provider(void)
{
  return provider_of(&NPI, &MODULE, attach_client, detach, cleanup);
}

static NTSTATUS attach(HANDLE binding)
{
  PVOID context = NULL;
  const VOID *dispatch = NULL;
  return NmrClientAttachProvider(binding, NULL, NULL, &context, &dispatch);
}

/* Attaches, with the bad arguments and the wrong times first. */
static NTSTATUS attach_badly(HANDLE binding)
{
  PVOID context = &calls + 1;
  const VOID *dispatch = &calls + 1;
  const int before = LOAD(calls);
  CHECK_STATUS(NmrClientAttachProvider(binding, NULL, NULL, NULL, &dispatch), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrClientAttachProvider(binding, NULL, NULL, &context, NULL), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrClientAttachProvider(NULL, NULL, NULL, &context, &dispatch), STATUS_INVALID_PARAMETER);
  CHECK(context == &calls + 1 && dispatch == &calls + 1);
  CHECK(LOAD(calls) == before);
  CHECK_STATUS(NmrClientAttachProvider(binding, NULL, NULL, &context, &dispatch), STATUS_SUCCESS);
  CHECK(context == &calls && dispatch == &MODULE);
  CHECK(LOAD(calls) == before + 1);
  /* Only once. */
  CHECK_STATUS(attach(binding), STATUS_INVALID_DEVICE_STATE);
  CHECK(LOAD(calls) == before + 1);
  return STATUS_SUCCESS;
}

/* The provider refuses, and its reason comes out of the call. */
static NTSTATUS attach_refused(HANDLE binding)
{
  PVOID context = &calls + 1;
  const VOID *dispatch = &calls + 1;
  const NTSTATUS status = NmrClientAttachProvider(binding, NULL, NULL, &context, &dispatch);
  CHECK(status == provider_answers);
  CHECK(context == &calls + 1 && dispatch == &calls + 1);
  return status;
}

static HANDLE leaving_provider;

/* The provider leaves after the offer was made: no interface, and it is not called. */
static NTSTATUS attach_to_a_leaver(HANDLE binding)
{
  const int before = LOAD(calls);
  CHECK_STATUS(NmrDeregisterProvider(leaving_provider), STATUS_PENDING);
  /* A wait for it inside of the callback would have no end. */
  CHECK_STATUS(NmrWaitForProviderDeregisterComplete(leaving_provider), STATUS_POSSIBLE_DEADLOCK);
  CHECK_STATUS(attach(binding), STATUS_NOINTERFACE);
  CHECK(LOAD(calls) == before);
  return STATUS_NOINTERFACE;
}

static NTSTATUS decline(HANDLE binding)
{
  (void)binding;
  return STATUS_NOINTERFACE;
}

/* What was said last of a call that was refused or ignored, and how much. */
static char said[256];
static int lines;

static void hear(const char *message)
{
  strncpy(said, message, sizeof(said) - 1);
  lines++;
}

static void bad_clients(void)
{
  NPI_CLIENT_CHARACTERISTICS bad;
  HANDLE handle = &calls;
  NPIID nil;
  NPI_MODULEID module = MODULE;
  char bytes[sizeof(NPI_CLIENT_CHARACTERISTICS) + 8];

#define REFUSED(change)                                                                 \
  do {                                                                                  \
    bad = client();                                                                     \
    change;                                                                             \
    CHECK_STATUS(NmrRegisterClient(&bad, NULL, &handle), STATUS_INVALID_PARAMETER);     \
    CHECK(handle == &calls);                                                            \
  } while (0)
  memset(&nil, 0, sizeof(nil));
  REFUSED(bad.Version = 1);
  CHECK(strcmp(said, "a client is not registered: the version is not 0") == 0);
  REFUSED(bad.Length = 0);
  REFUSED(bad.Length = sizeof(bad) - 1);
  REFUSED(bad.Length = sizeof(bad) + 1);
  REFUSED(bad.ClientAttachProvider = NULL);
  REFUSED(bad.ClientDetachProvider = NULL);
  REFUSED(bad.ClientRegistrationInstance.Version = 1);
  REFUSED(bad.ClientRegistrationInstance.Size = 0);
  REFUSED(bad.ClientRegistrationInstance.Size += 1);
  REFUSED(bad.ClientRegistrationInstance.NpiId = NULL);
  REFUSED(bad.ClientRegistrationInstance.NpiId = &nil);
  REFUSED(bad.ClientRegistrationInstance.ModuleId = NULL);
  REFUSED(bad.ClientRegistrationInstance.ModuleId = &module; module.Length = 0);
  REFUSED(bad.ClientRegistrationInstance.ModuleId = &module; module.Length = sizeof(module);
          memset(&module.Type, 0, sizeof(module.Type)));
#undef REFUSED
  bad = client();
  CHECK_STATUS(NmrRegisterClient(NULL, NULL, &handle), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrRegisterClient(&bad, NULL, NULL), STATUS_INVALID_PARAMETER);
  /* Not aligned. */
  memcpy(bytes + 1, &bad, sizeof(bad));
  CHECK_STATUS(NmrRegisterClient((PNPI_CLIENT_CHARACTERISTICS)(void *)(bytes + 1), NULL, &handle),
               STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrRegisterClient(&bad, NULL, (HANDLE *)(void *)(bytes + 1)), STATUS_INVALID_PARAMETER);
  CHECK(handle == &calls);
}

static void bad_providers(void)
{
  NPI_PROVIDER_CHARACTERISTICS bad;
  HANDLE handle = &calls;
  NPIID nil;

#define REFUSED(change)                                                                 \
  do {                                                                                  \
    bad = provider();                                                                   \
    change;                                                                             \
    CHECK_STATUS(NmrRegisterProvider(&bad, NULL, &handle), STATUS_INVALID_PARAMETER);   \
    CHECK(handle == &calls);                                                            \
  } while (0)
  memset(&nil, 0, sizeof(nil));
  REFUSED(bad.Version = 1);
  REFUSED(bad.Length -= 1);
  REFUSED(bad.ProviderAttachClient = NULL);
  REFUSED(bad.ProviderDetachClient = NULL);
  REFUSED(bad.ProviderRegistrationInstance.Version = 1);
  REFUSED(bad.ProviderRegistrationInstance.Size -= 1);
  REFUSED(bad.ProviderRegistrationInstance.NpiId = NULL);
  REFUSED(bad.ProviderRegistrationInstance.NpiId = &nil);
  REFUSED(bad.ProviderRegistrationInstance.ModuleId = NULL);
#undef REFUSED
  bad = provider();
  CHECK_STATUS(NmrRegisterProvider(NULL, NULL, &handle), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrRegisterProvider(&bad, NULL, NULL), STATUS_INVALID_PARAMETER);
  CHECK(handle == &calls);
}

static int no_client(HANDLE handle)
{
  return NmrDeregisterClient(handle) == STATUS_INVALID_PARAMETER &&
         NmrWaitForClientDeregisterComplete(handle) == STATUS_INVALID_PARAMETER;
}

static int no_provider(HANDLE handle)
{
  return NmrDeregisterProvider(handle) == STATUS_INVALID_PARAMETER &&
         NmrWaitForProviderDeregisterComplete(handle) == STATUS_INVALID_PARAMETER;
}

static void bad_handles(void)
{
  const NPI_CLIENT_CHARACTERISTICS client_is = client();
  const NPI_PROVIDER_CHARACTERISTICS provider_is = provider();
  HANDLE a_client, a_provider, binding;
  ULONGLONG registrations, bindings;
  int before, before_lines;

  attach_next = attach_badly;
  CHECK_STATUS(NmrRegisterClient(&client_is, NULL, &a_client), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterProvider(&provider_is, NULL, &a_provider), STATUS_SUCCESS);
  binding = binding_seen;
  before = LOAD(calls);

  CHECK(no_client(NULL) && no_client(a_provider) && no_client(binding) && no_client(&calls));
  CHECK(no_provider(NULL) && no_provider(a_client) && no_provider(binding) && no_provider(&calls));
  CHECK(no_client((char *)a_client + 1) && no_client((char *)a_client - 1));
  CHECK_STATUS(attach(NULL), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(attach(a_client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(attach(a_provider), STATUS_INVALID_PARAMETER);
  /* It is attached, and this is no callback. */
  CHECK_STATUS(attach(binding), STATUS_INVALID_DEVICE_STATE);
  /* Nobody is detaching. */
  before_lines = lines;
  NmrClientDetachProviderComplete(binding);
  NmrProviderDetachClientComplete(binding);
  NmrClientDetachProviderComplete(NULL);
  NmrClientDetachProviderComplete(a_client);
  NmrProviderDetachClientComplete(a_provider);
  CHECK(strstr(said, "NmrProviderDetachClientComplete: ignored: invalid parameter") == said);
  CHECK(lines == before_lines + 5);
  /* To wait comes after to deregister. */
  CHECK_STATUS(NmrWaitForClientDeregisterComplete(a_client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrWaitForProviderDeregisterComplete(a_provider), STATUS_INVALID_PARAMETER);
  CHECK(LOAD(calls) == before);
  CHECK_STATUS(NmrExCount(NULL, &registrations, &bindings), STATUS_SUCCESS);
  CHECK(registrations == 2 && bindings == 1);

  CHECK_STATUS(NmrDeregisterClient(a_client), STATUS_PENDING);
  CHECK(LOAD(calls) == before + 4);
  CHECK_STATUS(NmrDeregisterClient(a_client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrWaitForClientDeregisterComplete(a_client), STATUS_SUCCESS);
  /* Dead ones name nothing. */
  CHECK(no_client(a_client));
  CHECK_STATUS(attach(binding), STATUS_INVALID_PARAMETER);
  NmrClientDetachProviderComplete(binding);
  leave_provider(a_provider);
  CHECK(no_provider(a_provider));
  CHECK(LOAD(calls) == before + 4);
}

static void refusals(void)
{
  static const NTSTATUS reasons[] = {STATUS_NOINTERFACE, STATUS_INSUFFICIENT_RESOURCES, STATUS_PENDING,
                                     (NTSTATUS)0xC0000022L};
  const NPI_CLIENT_CHARACTERISTICS client_is = client();
  const NPI_PROVIDER_CHARACTERISTICS provider_is = provider();
  HANDLE a_client, a_provider;
  ULONGLONG registrations, bindings;
  size_t i;

  CHECK_STATUS(NmrRegisterProvider(&provider_is, NULL, &a_provider), STATUS_SUCCESS);
  for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
    provider_answers = reasons[i];
    attach_next = attach_refused;
    CHECK_STATUS(NmrRegisterClient(&client_is, NULL, &a_client), STATUS_SUCCESS);
    CHECK_STATUS(NmrExCount(NULL, &registrations, &bindings), STATUS_SUCCESS);
    CHECK(registrations == 2 && bindings == 0);
    leave_client(a_client);
  }
  provider_answers = STATUS_SUCCESS;

  attach_next = decline;
  CHECK_STATUS(NmrRegisterClient(&client_is, NULL, &a_client), STATUS_SUCCESS);
  leave_client(a_client);

  attach_next = attach_to_a_leaver;
  leaving_provider = a_provider;
  CHECK_STATUS(NmrRegisterClient(&client_is, NULL, &a_client), STATUS_SUCCESS);
  CHECK_STATUS(NmrWaitForProviderDeregisterComplete(a_provider), STATUS_SUCCESS);
  leave_client(a_client);
}

/* Attaches, and answers another success than STATUS_SUCCESS. */
static NTSTATUS attach_and_answer_pending(HANDLE binding)
{
  CHECK_STATUS(attach(binding), STATUS_SUCCESS);
  return STATUS_PENDING;
}

static void odd_answers(void)
{
  const NPI_CLIENT_CHARACTERISTICS client_is = client();
  const NPI_PROVIDER_CHARACTERISTICS provider_is = provider();
  HANDLE a_client, a_provider;
  ULONGLONG registrations, bindings;
  int before;

  /* Only STATUS_SUCCESS attaches: the provider alone is asked to detach, and cleans up. */
  attach_next = attach_and_answer_pending;
  CHECK_STATUS(NmrRegisterProvider(&provider_is, NULL, &a_provider), STATUS_SUCCESS);
  before = LOAD(calls);
  CHECK_STATUS(NmrRegisterClient(&client_is, NULL, &a_client), STATUS_SUCCESS);
  CHECK(LOAD(calls) == before + 4);
  CHECK_STATUS(NmrExCount(NULL, &registrations, &bindings), STATUS_SUCCESS);
  CHECK(registrations == 2 && bindings == 0);
  leave_client(a_client);

  /* Only STATUS_PENDING is pending. */
  attach_next = attach;
  detach_answers = STATUS_NOINTERFACE;
  CHECK_STATUS(NmrRegisterClient(&client_is, NULL, &a_client), STATUS_SUCCESS);
  before = LOAD(calls);
  leave_client(a_client);
  CHECK(LOAD(calls) == before + 4);
  CHECK(strstr(said, "a detach callback answers STATUS_NOINTERFACE") == said);
  detach_answers = STATUS_SUCCESS;
  leave_provider(a_provider);
}

static void limits(void)
{
  const NMREX_REGISTRAR_LIMITS one_registration = {sizeof(NMREX_REGISTRAR_LIMITS), 1, 0, 0};
  const NMREX_REGISTRAR_LIMITS no_binding_more = {sizeof(NMREX_REGISTRAR_LIMITS), 0, 1, 0};
  const NMREX_REGISTRAR_LIMITS fault = {sizeof(NMREX_REGISTRAR_LIMITS), 0, 0, 1};
  const NPI_CLIENT_CHARACTERISTICS client_is = client();
  const NPI_PROVIDER_CHARACTERISTICS provider_is = provider();
  HANDLE registrar, a_client, a_provider, another = &calls;
  int before;

  CHECK_STATUS(NmrExCreateRegistrar(&one_registration, &registrar), STATUS_SUCCESS);
  CHECK_STATUS(NmrExRegisterClient(registrar, &client_is, NULL, &a_client), STATUS_SUCCESS);
  before = LOAD(calls);
  CHECK_STATUS(NmrExRegisterProvider(registrar, &provider_is, NULL, &another), STATUS_INSUFFICIENT_RESOURCES);
  CHECK(another == &calls && LOAD(calls) == before);
  leave_client(a_client);
  CHECK_STATUS(NmrExDestroyRegistrar(registrar), STATUS_SUCCESS);

  attach_next = attach;
  CHECK_STATUS(NmrExCreateRegistrar(&no_binding_more, &registrar), STATUS_SUCCESS);
  CHECK_STATUS(NmrExRegisterProvider(registrar, &provider_is, NULL, &a_provider), STATUS_SUCCESS);
  CHECK_STATUS(NmrExRegisterClient(registrar, &client_is, NULL, &a_client), STATUS_SUCCESS);
  before = LOAD(calls);
  CHECK_STATUS(NmrExRegisterClient(registrar, &client_is, NULL, &another), STATUS_INSUFFICIENT_RESOURCES);
  CHECK(another == &calls && LOAD(calls) == before);
  leave_client(a_client);
  leave_provider(a_provider);
  CHECK_STATUS(NmrExDestroyRegistrar(registrar), STATUS_SUCCESS);

  CHECK_STATUS(NmrExCreateRegistrar(&fault, &registrar), STATUS_SUCCESS);
  CHECK_STATUS(NmrExRegisterClient(registrar, &client_is, NULL, &another), STATUS_INSUFFICIENT_RESOURCES);
  CHECK_STATUS(NmrExRegisterClient(registrar, &client_is, NULL, &a_client), STATUS_SUCCESS);
  leave_client(a_client);
  check_quiet(registrar);
  CHECK_STATUS(NmrExDestroyRegistrar(registrar), STATUS_SUCCESS);
}

int main(void)
{
  watchdog(600);
  MODULE = module_id(1);
  NmrExSetLog(hear);
  bad_clients();
  bad_providers();
  CHECK(calls == 0 && lines > 20);
  bad_handles();
  refusals();
  odd_answers();
  limits();
  check_quiet(NULL);
  lines = 0;
  NmrExSetLog(NULL);
  CHECK_STATUS(NmrRegisterClient(NULL, NULL, NULL), STATUS_INVALID_PARAMETER);
  CHECK(lines == 0);
  CHECK(NmrExCaughtPanics() == 0);
  return 0;
}
