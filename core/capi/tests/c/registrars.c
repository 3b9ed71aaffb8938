/* Registrars beside the default one: they see nothing of each other, and the functions of netioddk.h take handles
 * of any. */
#include "test.h"

static const NPIID NPI = {7, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};
static NPI_MODULEID MODULE;
static NPI_CLIENT_CHARACTERISTICS CLIENT;
static NPI_PROVIDER_CHARACTERISTICS PROVIDER;

static void check_count(HANDLE registrar, ULONGLONG expected_registrations, ULONGLONG expected_bindings)
{
  ULONGLONG registrations, bindings;
  CHECK_STATUS(NmrExCount(registrar, &registrations, &bindings), STATUS_SUCCESS);
  CHECK(registrations == expected_registrations && bindings == expected_bindings);
}

static HANDLE pending;

static NTSTATUS attach_pending(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  pending = binding;
  return take_provider(binding, context, provider);
}

static NTSTATUS detach_later(PVOID context)
{
  (void)context;
  return STATUS_PENDING;
}

static void bad_arguments(HANDLE registrar, HANDLE client)
{
  const NMREX_REGISTRAR_LIMITS bad = {1, 0, 0, 0};
  HANDLE handle = NULL;
  ULONGLONG number;
  int not_a_registrar;
  CHECK_STATUS(NmrExCreateRegistrar(&bad, &handle), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExCreateRegistrar(NULL, NULL), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExDestroyRegistrar(NULL), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExDestroyRegistrar(client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExDestroyRegistrar(&not_a_registrar), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExRegisterClient(client, &CLIENT, NULL, &handle), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExRegisterProvider(client, &PROVIDER, NULL, &handle), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExCount(client, &number, &number), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExCount(registrar, NULL, &number), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExCount(registrar, &number, NULL), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrDeregisterClient(registrar), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrDeregisterProvider(registrar), STATUS_INVALID_PARAMETER);
  NmrClientDetachProviderComplete(registrar);
  CHECK(handle == NULL);
}

static HANDLE taken_away;
static int tried;

/* Runs inside of a call in a registrar in which nothing is registered. */
static void try_to_take_away(const char *message)
{
  (void)message;
  CHECK_STATUS(NmrExDestroyRegistrar(taken_away), STATUS_INVALID_DEVICE_STATE);
  tried++;
}

static void a_call_keeps_it(void)
{
  HANDLE client;
  NPI_CLIENT_CHARACTERISTICS bad = CLIENT;
  bad.Version = 1;
  CHECK_STATUS(NmrExCreateRegistrar(NULL, &taken_away), STATUS_SUCCESS);
  NmrExSetLog(try_to_take_away);
  CHECK_STATUS(NmrExRegisterClient(taken_away, &bad, NULL, &client), STATUS_INVALID_PARAMETER);
  NmrExSetLog(NULL);
  CHECK(tried == 1);
  CHECK_STATUS(NmrExDestroyRegistrar(taken_away), STATUS_SUCCESS);
}

/* Comes and goes until the registrar is gone. */
static void *use(void *argument)
{
  HANDLE client;
  NTSTATUS status;
  (void)argument;
  while ((status = NmrExRegisterClient(taken_away, &CLIENT, NULL, &client)) == STATUS_SUCCESS) {
    leave_client(client);
    sched_yield();
  }
  CHECK(status == STATUS_INVALID_PARAMETER);
  return NULL;
}

/* A registrar is taken away while somebody uses it: between two registrations, and never with one in it. */
static void taken_away_in_use(void)
{
  pthread_t user;
  CHECK_STATUS(NmrExCreateRegistrar(NULL, &taken_away), STATUS_SUCCESS);
  user = start(use, NULL);
  for (;;) {
    const NTSTATUS status = NmrExDestroyRegistrar(taken_away);
    if (status == STATUS_SUCCESS) {
      break;
    }
    CHECK(status == STATUS_INVALID_DEVICE_STATE);
  }
  join(user);
}

/* Handles have room for so many numbers, and none is used twice. Last, for there are none afterwards. */
static void numbers_are_used_up(void)
{
  HANDLE registrar = NULL, last = NULL;
  NTSTATUS status;
  while ((status = NmrExCreateRegistrar(NULL, &registrar)) == STATUS_SUCCESS) {
    CHECK(registrar != last);
    last = registrar;
    CHECK_STATUS(NmrExDestroyRegistrar(registrar), STATUS_SUCCESS);
  }
  CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
  CHECK((uintptr_t)last >> 42 == 262143);
  CHECK_STATUS(NmrExRegisterClient(last, &CLIENT, NULL, &registrar), STATUS_INVALID_PARAMETER);
}

int main(void)
{
  int round;
  HANDLE one, two, client, provider, elsewhere;
  NPI_CLIENT_CHARACTERISTICS slow;

  watchdog(600);
  MODULE = module_id(1);
  CLIENT = client_of(&NPI, &MODULE, take_provider, detach_at_once, NULL);
  PROVIDER = provider_of(&NPI, &MODULE, take_client, detach_at_once, NULL);
  slow = client_of(&NPI, &MODULE, attach_pending, detach_later, NULL);

  CHECK_STATUS(NmrExCreateRegistrar(NULL, &one), STATUS_SUCCESS);
  CHECK_STATUS(NmrExCreateRegistrar(NULL, &two), STATUS_SUCCESS);
  CHECK(one != two);

  CHECK_STATUS(NmrExRegisterProvider(one, &PROVIDER, NULL, &provider), STATUS_SUCCESS);
  CHECK_STATUS(NmrExRegisterClient(two, &CLIENT, NULL, &elsewhere), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterClient(&CLIENT, NULL, &client), STATUS_SUCCESS);
  check_count(one, 1, 0);
  check_count(two, 1, 0);
  check_count(NULL, 1, 0);
  bad_arguments(one, elsewhere);
  leave_client(client);
  leave_client(elsewhere);

  /* A binding beside the default registrar, completed by its handle alone. */
  CHECK_STATUS(NmrExRegisterClient(one, &slow, NULL, &client), STATUS_SUCCESS);
  check_count(one, 2, 1);
  CHECK_STATUS(NmrExDestroyRegistrar(one), STATUS_INVALID_DEVICE_STATE);
  CHECK_STATUS(NmrDeregisterProvider(provider), STATUS_PENDING);
  NmrClientDetachProviderComplete(pending);
  CHECK_STATUS(NmrWaitForProviderDeregisterComplete(provider), STATUS_SUCCESS);
  leave_client(client);

  CHECK_STATUS(NmrExDestroyRegistrar(one), STATUS_SUCCESS);
  /* What is gone names nothing, and nothing else gets its name. */
  CHECK_STATUS(NmrExDestroyRegistrar(one), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrDeregisterClient(client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExRegisterClient(one, &CLIENT, NULL, &client), STATUS_INVALID_PARAMETER);
  CHECK_STATUS(NmrExCreateRegistrar(NULL, &elsewhere), STATUS_SUCCESS);
  CHECK(elsewhere != one);
  CHECK_STATUS(NmrExDestroyRegistrar(elsewhere), STATUS_SUCCESS);
  CHECK_STATUS(NmrExDestroyRegistrar(two), STATUS_SUCCESS);

  /* NULL is the default one. */
  CHECK_STATUS(NmrExRegisterProvider(NULL, &PROVIDER, NULL, &provider), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterClient(&CLIENT, NULL, &client), STATUS_SUCCESS);
  check_count(NULL, 2, 1);
  leave_client(client);
  leave_provider(provider);
  check_quiet(NULL);

  a_call_keeps_it();
  for (round = 0; round < 200; round++) {
    taken_away_in_use();
  }
  numbers_are_used_up();
  return 0;
}
