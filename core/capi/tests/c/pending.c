/* Both sides answer STATUS_PENDING: completed by a third thread, by two threads at once, and by the detach callbacks
 * themselves before they return. Each cleanup runs once, after both are complete, and before the wait returns.
 *
 *   pending [ROUNDS]     how often two threads complete at once; 2,000 */
#include "test.h"

static const NPIID NPI = {7, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};

enum { CLIENT, PROVIDER, SIDES };

/* One side of the one binding. */
typedef struct {
  HANDLE binding;
  int completes_at_once;
  int completed;
  int cleaned_up;
} SIDE;

static SIDE sides[SIDES];

static NTSTATUS attach_provider(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  PVOID peer;
  const VOID *dispatch;
  (void)provider;
  sides[CLIENT].binding = binding;
  return NmrClientAttachProvider(binding, context, NULL, &peer, &dispatch);
}

static NTSTATUS attach_client(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                              PVOID client_context, const VOID *client_dispatch, PVOID *provider_context,
                              const VOID **dispatch)
{
  (void)client, (void)client_context, (void)client_dispatch;
  sides[PROVIDER].binding = binding;
  *provider_context = context;
  *dispatch = NULL;
  return STATUS_SUCCESS;
}

static void complete(int side)
{
  CHECK(ADD(sides[side].completed, 1) == 1);
  if (side == CLIENT) {
    NmrClientDetachProviderComplete(sides[side].binding);
  } else {
    NmrProviderDetachClientComplete(sides[side].binding);
  }
}

static NTSTATUS detach(PVOID context)
{
  const int side = (int)((SIDE *)context - sides);
  if (sides[side].completes_at_once) {
    complete(side);
  }
  return STATUS_PENDING;
}

static VOID cleanup(PVOID context)
{
  CHECK(LOAD(sides[CLIENT].completed) == 1 && LOAD(sides[PROVIDER].completed) == 1);
  CHECK(ADD(((SIDE *)context)->cleaned_up, 1) == 1);
}

/* Threads that are there; they begin together. */
static int there;

static void meet(void)
{
  ADD(there, 1);
  while (LOAD(there) < 2) {
    sched_yield();
  }
}

static void *complete_client(void *argument)
{
  (void)argument;
  meet();
  complete(CLIENT);
  return NULL;
}

static void *complete_provider(void *argument)
{
  (void)argument;
  meet();
  complete(PROVIDER);
  return NULL;
}

static void *complete_both(void *argument)
{
  (void)argument;
  complete(PROVIDER);
  CHECK(LOAD(sides[PROVIDER].cleaned_up) == 0);
  complete(CLIENT);
  /* The last completion cleans up before it returns. */
  CHECK(LOAD(sides[CLIENT].cleaned_up) == 1 && LOAD(sides[PROVIDER].cleaned_up) == 1);
  return NULL;
}

typedef enum { BY_A_THIRD, AT_ONCE, BY_THEMSELVES } HOW;

static void binding_ends(HOW how, int provider_leaves_first)
{
  const NPI_MODULEID id = module_id(1);
  const NPI_CLIENT_CHARACTERISTICS client_is = client_of(&NPI, &id, attach_provider, detach, cleanup);
  const NPI_PROVIDER_CHARACTERISTICS provider_is = provider_of(&NPI, &id, attach_client, detach, cleanup);
  HANDLE client, provider;
  pthread_t one = pthread_self(), two = one;

  memset(sides, 0, sizeof(sides));
  STORE(there, 0);
  sides[CLIENT].completes_at_once = sides[PROVIDER].completes_at_once = how == BY_THEMSELVES;
  CHECK_STATUS(NmrRegisterClient(&client_is, &sides[CLIENT], &client), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterProvider(&provider_is, &sides[PROVIDER], &provider), STATUS_SUCCESS);
  if (provider_leaves_first) {
    CHECK_STATUS(NmrDeregisterProvider(provider), STATUS_PENDING);
  } else {
    CHECK_STATUS(NmrDeregisterClient(client), STATUS_PENDING);
  }
  CHECK(how == BY_THEMSELVES || sides[CLIENT].cleaned_up + sides[PROVIDER].cleaned_up == 0);
  switch (how) {
  case BY_A_THIRD:
    one = start(complete_both, NULL);
    break;
  case AT_ONCE:
    one = start(complete_client, NULL);
    two = start(complete_provider, NULL);
    break;
  case BY_THEMSELVES:
    break;
  }
  if (provider_leaves_first) {
    CHECK_STATUS(NmrWaitForProviderDeregisterComplete(provider), STATUS_SUCCESS);
  } else {
    CHECK_STATUS(NmrWaitForClientDeregisterComplete(client), STATUS_SUCCESS);
  }
  CHECK(LOAD(sides[CLIENT].cleaned_up) == 1 && LOAD(sides[PROVIDER].cleaned_up) == 1);
  if (provider_leaves_first) {
    leave_client(client);
  } else {
    leave_provider(provider);
  }
  if (how != BY_THEMSELVES) {
    join(one);
  }
  if (how == AT_ONCE) {
    join(two);
  }
}

int main(int argc, char **argv)
{
  const int rounds = argc > 1 ? atoi(argv[1]) : 2000;
  int round;
  watchdog(600);
  for (round = 0; round < 2; round++) {
    binding_ends(BY_A_THIRD, round);
    binding_ends(BY_THEMSELVES, round);
  }
  for (round = 0; round < rounds; round++) {
    binding_ends(AT_ONCE, round % 2);
  }
  check_quiet(NULL);
  return 0;
}
