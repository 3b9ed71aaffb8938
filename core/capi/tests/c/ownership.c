/* What belongs to a module is read from its register call to the end of its deregistration, and never afterwards: the
 * moment that the wait returns it is poisoned and freed, or its pages are made unreadable. Clients and providers
 * come and go on two threads, each other's peers, so that one reads what the other is about to take away.
 *
 * What is read too late crashes, calls a poisoned callback, or is found by AddressSanitizer or valgrind.
 *
 *   ownership [ROUNDS]     of each thread; 2,000 */
#include "test.h"

#include <sys/mman.h>

#define POISON 0xDD
#define ALIVE 0x600D600Du

/* What a module has to keep valid while it is registered, all in one place. */
typedef struct {
  uint32_t alive;
  NPIID npi;
  NPI_MODULEID id;
  uint32_t specific;
  union {
    NPI_CLIENT_CHARACTERISTICS client;
    NPI_PROVIDER_CHARACTERISTICS provider;
  } is;
} MODULE;

/* A binding context. */
typedef struct {
  uint32_t alive;
  const MODULE *module;
} CONTEXT;

static int attached[2], cleaned_up[2];

static CONTEXT *new_context(PVOID registration_context)
{
  CONTEXT *context = (CONTEXT *)malloc(sizeof(CONTEXT));
  CHECK(context != NULL);
  context->alive = ALIVE;
  context->module = (const MODULE *)registration_context;
  CHECK(context->module->alive == ALIVE);
  return context;
}

static void check_alive(PVOID binding_context)
{
  const CONTEXT *context = (const CONTEXT *)binding_context;
  CHECK(context->alive == ALIVE && context->module->alive == ALIVE);
}

/* The peer's instance is the peer's own, and readable in the attach callback. */
static void check_instance(PNPI_REGISTRATION_INSTANCE instance)
{
  CHECK(instance->Size == sizeof(*instance));
  CHECK(instance->NpiId->Data1 == 7);
  CHECK(instance->ModuleId->Length == sizeof(NPI_MODULEID));
  CHECK(*(const uint32_t *)instance->NpiSpecificCharacteristics == ALIVE);
}

static void free_context(PVOID binding_context)
{
  memset(binding_context, POISON, sizeof(CONTEXT));
  free(binding_context);
}

static NTSTATUS attach_provider(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  CONTEXT *ours = new_context(context);
  PVOID theirs = NULL;
  const VOID *dispatch = NULL;
  NTSTATUS status;
  check_instance(provider);
  status = NmrClientAttachProvider(binding, ours, &ours->alive, &theirs, &dispatch);
  if (status != STATUS_SUCCESS) {
    free_context(ours);
    return status;
  }
  check_alive(theirs);
  CHECK(*(const uint32_t *)dispatch == ALIVE);
  ADD(attached[0], 1);
  return STATUS_SUCCESS;
}

static NTSTATUS attach_client(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                              PVOID client_context, const VOID *client_dispatch, PVOID *provider_context,
                              const VOID **dispatch)
{
  CONTEXT *ours = new_context(context);
  (void)binding;
  check_instance(client);
  check_alive(client_context);
  CHECK(*(const uint32_t *)client_dispatch == ALIVE);
  *provider_context = ours;
  *dispatch = &ours->alive;
  ADD(attached[1], 1);
  return STATUS_SUCCESS;
}

static NTSTATUS detach(PVOID context)
{
  check_alive(context);
  return STATUS_SUCCESS;
}

static VOID cleanup_client(PVOID context)
{
  check_alive(context);
  free_context(context);
  ADD(cleaned_up[0], 1);
}

static VOID cleanup_provider(PVOID context)
{
  check_alive(context);
  free_context(context);
  ADD(cleaned_up[1], 1);
}

static size_t page(void)
{
  return (size_t)sysconf(_SC_PAGESIZE);
}

static MODULE *new_module(int on_a_page, int is_provider)
{
  void *place = on_a_page ? mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                          : malloc(sizeof(MODULE));
  MODULE *module = (MODULE *)place;
  NPI_REGISTRATION_INSTANCE *instance;
  CHECK(place != MAP_FAILED && place != NULL);
  module->alive = module->specific = ALIVE;
  module->npi = npi(7);
  module->id = module_id(1);
  if (is_provider) {
    module->is.provider = provider_of(&module->npi, &module->id, attach_client, detach, cleanup_provider);
    instance = &module->is.provider.ProviderRegistrationInstance;
  } else {
    module->is.client = client_of(&module->npi, &module->id, attach_provider, detach, cleanup_client);
    instance = &module->is.client.ClientRegistrationInstance;
  }
  instance->NpiSpecificCharacteristics = &module->specific;
  return module;
}

static void take_away(MODULE *module, int on_a_page)
{
  memset(module, POISON, sizeof(*module));
  if (on_a_page) {
    /* It stays unreadable, and its address is not used again while others run. */
    CHECK(mprotect(module, page(), PROT_NONE) == 0);
  } else {
    free(module);
  }
}

static int rounds;

static void *come_and_go(void *argument)
{
  const int is_provider = argument != NULL;
  int round;
  for (round = 0; round < rounds; round++) {
    /* Not too many pages. */
    const int on_a_page = round % 4 == 0 && round < 8000;
    MODULE *module = new_module(on_a_page, is_provider);
    HANDLE handle;
    if (is_provider) {
      CHECK_STATUS(NmrRegisterProvider(&module->is.provider, module, &handle), STATUS_SUCCESS);
      leave_provider(handle);
    } else {
      CHECK_STATUS(NmrRegisterClient(&module->is.client, module, &handle), STATUS_SUCCESS);
      leave_client(handle);
    }
    take_away(module, on_a_page);
  }
  return NULL;
}

int main(int argc, char **argv)
{
  static int is_provider = 1;
  MODULE *client, *provider;
  HANDLE client_handle, provider_handle;
  pthread_t one, two;

  rounds = argc > 1 ? atoi(argv[1]) : 2000;
  watchdog(600);
  /* One of each side stays, so that there is always somebody to attach to. */
  client = new_module(0, 0);
  provider = new_module(0, 1);
  CHECK_STATUS(NmrRegisterClient(&client->is.client, client, &client_handle), STATUS_SUCCESS);
  CHECK_STATUS(NmrRegisterProvider(&provider->is.provider, provider, &provider_handle), STATUS_SUCCESS);
  one = start(come_and_go, NULL);
  two = start(come_and_go, &is_provider);
  join(one);
  join(two);
  leave_provider(provider_handle);
  take_away(provider, 0);
  leave_client(client_handle);
  take_away(client, 0);
  CHECK(attached[0] > 2 * rounds);
  CHECK(attached[0] == cleaned_up[0] && attached[1] == cleaned_up[1]);
  check_quiet(NULL);
  return 0;
}
