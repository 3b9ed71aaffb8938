/* Clients come and go on two threads against a provider that stays, and then the other way round.
 *
 *   stress [ROUNDS]     of each thread, on each side; 25,000 */
#include "test.h"

static const NPIID NPI = {7, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};
static NPI_MODULEID MODULE;
static NPI_CLIENT_CHARACTERISTICS CLIENT;
static NPI_PROVIDER_CHARACTERISTICS PROVIDER;
static int rounds;
static int detached, cleaned_up;

static NTSTATUS detach(PVOID context)
{
  (void)context;
  ADD(detached, 1);
  return STATUS_SUCCESS;
}

static VOID cleanup(PVOID context)
{
  (void)context;
  ADD(cleaned_up, 1);
}

static void *clients(void *argument)
{
  int round;
  HANDLE client;
  for (round = 0; round < rounds; round++) {
    CHECK_STATUS(NmrRegisterClient(&CLIENT, argument, &client), STATUS_SUCCESS);
    leave_client(client);
  }
  return NULL;
}

static void *providers(void *argument)
{
  int round;
  HANDLE provider;
  for (round = 0; round < rounds; round++) {
    CHECK_STATUS(NmrRegisterProvider(&PROVIDER, argument, &provider), STATUS_SUCCESS);
    leave_provider(provider);
  }
  return NULL;
}

/* Two threads of it; each of their registrations has one binding, and each side of that one detach and one cleanup. */
static void twice(void *(*body)(void *))
{
  pthread_t one, two;
  detached = cleaned_up = 0;
  one = start(body, &one);
  two = start(body, &two);
  join(one);
  join(two);
  CHECK(detached == 4 * rounds);
  CHECK(cleaned_up == 4 * rounds);
}

int main(int argc, char **argv)
{
  HANDLE client, provider;
  rounds = argc > 1 ? atoi(argv[1]) : 25000;
  watchdog(600);
  MODULE = module_id(1);
  CLIENT = client_of(&NPI, &MODULE, take_provider, detach, cleanup);
  PROVIDER = provider_of(&NPI, &MODULE, take_client, detach, cleanup);

  CHECK_STATUS(NmrRegisterProvider(&PROVIDER, NULL, &provider), STATUS_SUCCESS);
  twice(clients);
  leave_provider(provider);

  CHECK_STATUS(NmrRegisterClient(&CLIENT, NULL, &client), STATUS_SUCCESS);
  twice(providers);
  leave_client(client);
  check_quiet(NULL);
  return 0;
}
