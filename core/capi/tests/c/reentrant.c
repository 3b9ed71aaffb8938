/* Callbacks that call the registrar: register, attach, deregister and wait from each of them, and a cleanup callback
 * that registers its own client again. A wait that would have no end is answered STATUS_POSSIBLE_DEADLOCK. */
#include "test.h"

static const NPIID NPI = {7, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};
static const NPIID OTHER_NPI = {8, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};
static NPI_MODULEID MODULE;
static NPI_CLIENT_CHARACTERISTICS CLIENT, OTHER_CLIENT;
static NPI_PROVIDER_CHARACTERISTICS PROVIDER, OTHER_PROVIDER;

/* The client's registration, once it is known, and that by which its cleanup callback replaces it. */
static HANDLE client, again;
static int registers_again;
static int attached, detached, cleaned_up;

/* A client and a provider of another interface come, attach, and go. */
static void others_come_and_go(void)
{
  HANDLE other_client, other_provider;
  ULONGLONG registrations, bindings, bindings_before;
  CHECK_STATUS(NmrExCount(NULL, &registrations, &bindings_before), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterClient(&OTHER_CLIENT, NULL, &other_client), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterProvider(&OTHER_PROVIDER, NULL, &other_provider), STATUS_SUCCESS);
  CHECK_STATUS(NmrExCount(NULL, &registrations, &bindings), STATUS_SUCCESS);
  CHECK(bindings == bindings_before + 1);
  leave_provider(other_provider);
  leave_client(other_client);
}

static NTSTATUS attach_provider(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  NTSTATUS status;
  others_come_and_go();
  status = take_provider(binding, context, provider);
  others_come_and_go();
  CHECK_STATUS(status, STATUS_SUCCESS);
  attached++;
  return status;
}

static NTSTATUS detach_provider(PVOID context)
{
  (void)context;
  others_come_and_go();
  /* It is being deregistered, and this thread is inside of its callback. */
  CHECK_STATUS(NmrDeregisterClient(client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrWaitForClientDeregisterComplete(client), STATUS_POSSIBLE_DEADLOCK);
  detached++;
  return STATUS_SUCCESS;
}

static VOID cleanup(PVOID context)
{
  (void)context;
  others_come_and_go();
  CHECK_STATUS(NmrWaitForClientDeregisterComplete(client), STATUS_POSSIBLE_DEADLOCK);
  if (registers_again) {
    registers_again = 0;
    CHECK_STATUS(NmrRegisterClient(&CLIENT, NULL, &again), STATUS_SUCCESS);
  }
  cleaned_up++;
}

static NTSTATUS attach_client(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client_instance,
                              PVOID client_context, const VOID *client_dispatch, PVOID *provider_context,
                              const VOID **dispatch)
{
  others_come_and_go();
  return take_client(binding, context, client_instance, client_context, client_dispatch, provider_context,
                     dispatch);
}

static NTSTATUS detach_client(PVOID context)
{
  (void)context;
  others_come_and_go();
  return STATUS_SUCCESS;
}

static VOID cleanup_provider(PVOID context)
{
  (void)context;
  others_come_and_go();
}

int main(void)
{
  HANDLE provider;

  watchdog(600);
  MODULE = module_id(1);
  CLIENT = client_of(&NPI, &MODULE, attach_provider, detach_provider, cleanup);
  PROVIDER = provider_of(&NPI, &MODULE, attach_client, detach_client, cleanup_provider);
  OTHER_CLIENT = client_of(&OTHER_NPI, &MODULE, take_provider, detach_at_once, NULL);
  OTHER_PROVIDER = provider_of(&OTHER_NPI, &MODULE, take_client, detach_at_once, NULL);

  CHECK_STATUS(NmrRegisterProvider(&PROVIDER, NULL, &provider), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterClient(&CLIENT, NULL, &client), STATUS_SUCCESS);
  registers_again = 1;
  leave_client(client);
  CHECK(attached == 2 && detached == 1 && cleaned_up == 1);

  client = again;
  leave_client(client);
  CHECK(attached == 2 && detached == 2 && cleaned_up == 2);
  leave_provider(provider);
  check_quiet(NULL);
  return 0;
}
