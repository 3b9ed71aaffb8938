/* Random sequences of calls, from outside and from inside of callbacks, with handles of every kind: live, dead, of the
 * wrong kind, with flipped bits, and made up. Whatever is no live handle of the right kind is refused, and everything can be
 * ended. Modules and contexts are on the heap, and poisoned and freed as soon as the contract says that they may be.
 *
 * A sequence is a string of bytes. By itself the program makes them, from a seed:
 *
 *   sequence [CALLS [SEED]]     until so many calls were made; 200,000, and 1
 *
 * With -DLIBFUZZER (clang -fsanitize=fuzzer) libFuzzer does. */
#include "test.h"

enum { MODULES = 8, BINDINGS = 32, REGISTRARS = 3, DEPTH = 3 };

/* What a module's callbacks do: one bit each. */
enum {
  DECLINES = 1,
  CHANGES_ITS_MIND = 2, /* A client: attaches, and answers failure. */
  HOLLOW = 4,           /* A client: answers success without having attached. */
  PENDING = 8,
  COMPLETES_AT_ONCE = 16,
  NULL_CONTEXTS = 32,
  NESTS = 64,
  ATTACHES_TWICE = 128
};

typedef struct {
  HANDLE handle;
  int registered, deregistering, is_provider;
  unsigned behaviour;
  /* On the heap, while it is registered. */
  struct characteristics *owned;
} MODULE;

struct characteristics {
  NPIID npi;
  NPI_MODULEID id;
  union {
    NPI_CLIENT_CHARACTERISTICS client;
    NPI_PROVIDER_CHARACTERISTICS provider;
  } is;
};

/* A binding context: one side's. */
typedef struct context {
  HANDLE binding;
  MODULE *module;
  int detached, pending;
  struct context *next; /* Of those that are pending. */
} CONTEXT;

static MODULE modules[MODULES];
static HANDLE registrars[REGISTRARS]; /* The first is the default one. */
static HANDLE seen[BINDINGS];         /* Handles of bindings, most of them dead. */
static HANDLE dead;                   /* Of some registration. */
static CONTEXT *pendings;
static int depth;
static unsigned long calls;
/* What has to come about now and then, or the sequences try nothing. */
static unsigned long attached, completed, cleaned_up, ended, refused, deadlocks, nested;

/* The sequence. When it is used up it goes on with zeros. */
static const uint8_t *bytes, *bytes_end;

static unsigned next(unsigned below)
{
  return bytes < bytes_end ? *bytes++ % below : 0;
}

/* The default registrar, most of the time. */
static HANDLE any_registrar(void)
{
  const unsigned number = next(8);
  return registrars[number < REGISTRARS ? number : 0];
}

static void act(void);

static void maybe_nest(const MODULE *module)
{
  if ((module->behaviour & NESTS) && depth < DEPTH) {
    unsigned count = 1 + next(3);
    depth++;
    nested++;
    while (count-- > 0) {
      act();
    }
    depth--;
  }
}

static CONTEXT *new_context(MODULE *module, HANDLE binding)
{
  CONTEXT *context;
  seen[next(BINDINGS)] = binding;
  if (module->behaviour & NULL_CONTEXTS) {
    return NULL;
  }
  context = (CONTEXT *)calloc(1, sizeof(CONTEXT));
  CHECK(context != NULL);
  context->binding = binding;
  context->module = module;
  return context;
}

static void free_context(CONTEXT *context)
{
  if (context != NULL) {
    memset(context, 0xDD, sizeof(*context));
    free(context);
  }
}

static void complete(CONTEXT *context)
{
  const HANDLE binding = context->binding;
  CONTEXT **at = &pendings;
  while (*at != context) {
    at = &(*at)->next;
  }
  *at = context->next;
  calls++;
  completed++;
  /* The context may be freed in here. */
  if (context->module->is_provider) {
    NmrProviderDetachClientComplete(binding);
  } else {
    NmrClientDetachProviderComplete(binding);
  }
}

/* Callbacks. A registration context is the module. */
static NTSTATUS attach_provider(HANDLE binding, PVOID registration, PNPI_REGISTRATION_INSTANCE provider)
{
  MODULE *module = (MODULE *)registration;
  CONTEXT *context;
  PVOID theirs = NULL;
  const VOID *dispatch = NULL;
  NTSTATUS status;

  CHECK(provider->Size == sizeof(*provider) && provider->ModuleId->Length == sizeof(NPI_MODULEID));
  CHECK(memcmp(provider->NpiId, &module->owned->npi, sizeof(NPIID)) == 0);
  maybe_nest(module);
  if (module->behaviour & (DECLINES | HOLLOW)) {
    return module->behaviour & HOLLOW ? STATUS_SUCCESS : STATUS_NOINTERFACE;
  }
  context = new_context(module, binding);
  calls++;
  status = NmrClientAttachProvider(binding, context, module->owned, &theirs, &dispatch);
  if (status != STATUS_SUCCESS) {
    CHECK(status == STATUS_NOINTERFACE && theirs == NULL && dispatch == NULL);
    free_context(context);
    return status;
  }
  attached++;
  if (module->behaviour & ATTACHES_TWICE) {
    calls++;
    CHECK_STATUS(NmrClientAttachProvider(binding, NULL, NULL, &theirs, &dispatch),
                 STATUS_INVALID_DEVICE_STATE);
  }
  maybe_nest(module);
  if (module->behaviour & CHANGES_ITS_MIND) {
    free_context(context);
    return STATUS_NOINTERFACE;
  }
  return STATUS_SUCCESS;
}

static NTSTATUS attach_client(HANDLE binding, PVOID registration, PNPI_REGISTRATION_INSTANCE client,
                              PVOID client_context, const VOID *client_dispatch, PVOID *provider_context,
                              const VOID **dispatch)
{
  MODULE *module = (MODULE *)registration;
  CHECK(client->Size == sizeof(*client));
  CHECK(client_context == NULL || ((CONTEXT *)client_context)->binding == binding);
  CHECK(memcmp(client_dispatch, &module->owned->npi, sizeof(NPIID)) == 0);
  maybe_nest(module);
  if (module->behaviour & DECLINES) {
    return STATUS_NOINTERFACE;
  }
  *provider_context = new_context(module, binding);
  *dispatch = module->owned;
  return STATUS_SUCCESS;
}

static NTSTATUS detach(PVOID binding_context)
{
  CONTEXT *context = (CONTEXT *)binding_context;
  if (context == NULL) {
    return STATUS_SUCCESS;
  }
  CHECK(context->detached++ == 0);
  maybe_nest(context->module);
  if (context->module->behaviour & PENDING) {
    const int at_once = context->module->behaviour & COMPLETES_AT_ONCE;
    context->next = pendings;
    pendings = context;
    if (at_once) {
      complete(context);
    } else {
      maybe_nest(context->module);
    }
    return STATUS_PENDING;
  }
  return STATUS_SUCCESS;
}

static VOID cleanup(PVOID binding_context)
{
  CONTEXT *context = (CONTEXT *)binding_context;
  if (context != NULL) {
    CHECK(context->detached == 1);
    cleaned_up++;
    maybe_nest(context->module);
    free_context(context);
  }
}

static void complete_all(void)
{
  while (pendings != NULL) {
    complete(pendings);
  }
}

static void register_module(void)
{
  MODULE *module = &modules[next(MODULES)];
  const HANDLE registrar = any_registrar();
  struct characteristics *owned;
  NTSTATUS status;
  HANDLE handle = NULL;

  if (module->registered) {
    return;
  }
  owned = (struct characteristics *)calloc(1, sizeof(*owned));
  CHECK(owned != NULL);
  owned->npi = npi(next(4) == 0 ? 2 : 1);
  owned->id = module_id(1);
  memset(module, 0, sizeof(*module));
  module->owned = owned;
  module->is_provider = next(2);
  /* Each bit one time in four. */
  module->behaviour = next(256);
  module->behaviour &= next(256);
  /* Its slot is taken from here on, also to who comes in a callback; it has no handle yet. */
  module->registered = 1;
  calls++;
  if (module->is_provider) {
    owned->is.provider = provider_of(&owned->npi, &owned->id, attach_client, detach, cleanup);
    status = NmrExRegisterProvider(registrar, &owned->is.provider, module, &handle);
  } else {
    owned->is.client = client_of(&owned->npi, &owned->id, attach_provider, detach, cleanup);
    status = NmrExRegisterClient(registrar, &owned->is.client, module, &handle);
  }
  CHECK_STATUS(status, STATUS_SUCCESS);
  module->handle = handle;
}

/* A structure with one byte changed is refused, or was not changed where it counts; then it is not tried. */
static void register_badly(void)
{
  struct characteristics owned;
  HANDLE handle = NULL;
  unsigned which = next(6);
  memset(&owned, 0, sizeof(owned));
  owned.npi = npi(1);
  owned.id = module_id(1);
  owned.is.client = client_of(&owned.npi, &owned.id, attach_provider, detach, cleanup);
  switch (which) {
  case 0:
    owned.is.client.Version = (USHORT)(1 + next(255));
    break;
  case 1:
    owned.is.client.Length = (USHORT)(owned.is.client.Length + 1 + next(255));
    break;
  case 2:
    owned.is.client.ClientRegistrationInstance.Size = (USHORT)next(40);
    break;
  case 3:
    owned.is.client.ClientAttachProvider = NULL;
    break;
  case 4:
    owned.id.Length = (USHORT)next(24);
    break;
  default:
    memset(&owned.npi, 0, sizeof(owned.npi));
    break;
  }
  calls++;
  CHECK_STATUS(NmrExRegisterClient(any_registrar(), &owned.is.client, NULL, &handle),
               STATUS_INVALID_PARAMETER);
  CHECK(handle == NULL);
}

static void deregister(MODULE *module)
{
  NTSTATUS status;
  if (!module->registered || module->handle == NULL) {
    return;
  }
  calls++;
  if (module->deregistering) {
    status = module->is_provider ? NmrDeregisterProvider(module->handle) : NmrDeregisterClient(module->handle);
    CHECK_STATUS(status, STATUS_INVALID_PARAMETER);
    return;
  }
  module->deregistering = 1;
  status = module->is_provider ? NmrDeregisterProvider(module->handle) : NmrDeregisterClient(module->handle);
  CHECK_STATUS(status, STATUS_PENDING);
}

static void wait_for(MODULE *module)
{
  NTSTATUS status;
  HANDLE handle = module->handle;
  if (!module->registered || handle == NULL) {
    return;
  }
  if (module->deregistering) {
    /* There is one thread, and nobody else would. It may run callbacks that wait for the same. */
    complete_all();
    if (module->handle != handle) {
      return;
    }
  }
  calls++;
  status = module->is_provider ? NmrWaitForProviderDeregisterComplete(handle)
                               : NmrWaitForClientDeregisterComplete(handle);
  if (!module->deregistering) {
    CHECK_STATUS(status, STATUS_INVALID_PARAMETER);
  } else if (status != STATUS_SUCCESS) {
    /* Inside of one of its callbacks. */
    CHECK_STATUS(status, STATUS_POSSIBLE_DEADLOCK);
    CHECK(depth > 0);
    deadlocks++;
  } else {
    dead = handle;
    ended++;
    memset(module->owned, 0xDD, sizeof(*module->owned));
    free(module->owned);
    memset(module, 0, sizeof(*module));
  }
}

static void complete_one(void)
{
  unsigned skip = next(4);
  CONTEXT *context = pendings;
  while (context != NULL && context->next != NULL && skip-- > 0) {
    context = context->next;
  }
  if (context != NULL) {
    complete(context);
  }
}

static HANDLE any_handle(void)
{
  const HANDLE handle = modules[next(MODULES)].handle;
  uintptr_t bits = 0;
  int i;
  switch (next(8)) {
  case 0:
    return NULL;
  case 1:
    return handle;
  case 2:
    return (HANDLE)((uintptr_t)handle ^ ((uintptr_t)1 << next(64)));
  case 3:
    return seen[next(BINDINGS)];
  case 4:
    return (HANDLE)((uintptr_t)seen[next(BINDINGS)] ^ ((uintptr_t)1 << next(64)));
  case 5:
    return dead;
  case 6:
    return registrars[next(REGISTRARS)];
  default:
    for (i = 0; i < 8; i++) {
      bits = bits << 8 | next(256);
    }
    return (HANDLE)bits;
  }
}

/* Whether it is the live handle of a module of that side. */
static int is_live(HANDLE handle, int is_provider)
{
  int i;
  for (i = 0; i < MODULES; i++) {
    if (handle != NULL && modules[i].handle == handle && modules[i].is_provider == is_provider) {
      return 1;
    }
  }
  return 0;
}

/* A handle of any kind, where it is none of the right kind. */
static void misuse(void)
{
  const HANDLE handle = any_handle();
  PVOID theirs = NULL;
  const VOID *dispatch = NULL;
  NTSTATUS status = STATUS_INVALID_PARAMETER;
  CONTEXT *context;
  calls++;
  switch (next(8)) {
  case 0:
    status = is_live(handle, 0) ? status : NmrDeregisterClient(handle);
    break;
  case 1:
    status = is_live(handle, 1) ? status : NmrDeregisterProvider(handle);
    break;
  case 2:
    status = is_live(handle, 0) ? status : NmrWaitForClientDeregisterComplete(handle);
    break;
  case 3:
    status = is_live(handle, 1) ? status : NmrWaitForProviderDeregisterComplete(handle);
    break;
  case 4:
    if (depth > 0) {
      /* It might be the offer that is being made. */
      return;
    }
    status = NmrClientAttachProvider(handle, NULL, NULL, &theirs, &dispatch);
    if (status == STATUS_INVALID_DEVICE_STATE) {
      status = STATUS_INVALID_PARAMETER;
    }
    break;
  case 5:
  case 6:
    /* A completion that is owed belongs to its module. */
    for (context = pendings; context != NULL; context = context->next) {
      if (context->binding == handle) {
        return;
      }
    }
    if (depth > 0) {
      /* It might be the one whose detach callback is under way. */
      return;
    }
    NmrClientDetachProviderComplete(handle);
    NmrProviderDetachClientComplete(handle);
    break;
  default:
    if (handle != registrars[1] && handle != registrars[2]) {
      status = NmrExDestroyRegistrar(handle);
    }
    break;
  }
  CHECK_STATUS(status, STATUS_INVALID_PARAMETER);
  CHECK(theirs == NULL && dispatch == NULL);
  refused++;
}

static void act(void)
{
  switch (next(16)) {
  case 0:
    register_badly();
    break;
  case 1:
  case 2:
  case 3:
    misuse();
    break;
  case 4:
    complete_one();
    break;
  case 5:
  case 6:
    deregister(&modules[next(MODULES)]);
    break;
  case 7:
  case 8:
    wait_for(&modules[next(MODULES)]);
    break;
  default:
    register_module();
    break;
  }
}

static void end(void)
{
  int i;
  bytes = bytes_end;
  for (i = 0; i < MODULES; i++) {
    modules[i].behaviour &= ~(unsigned)NESTS;
  }
  for (i = 0; i < MODULES; i++) {
    if (modules[i].registered && !modules[i].deregistering) {
      deregister(&modules[i]);
    }
  }
  for (i = 0; i < MODULES; i++) {
    wait_for(&modules[i]);
    CHECK(!modules[i].registered);
  }
  CHECK(pendings == NULL);
  for (i = 0; i < REGISTRARS; i++) {
    check_quiet(registrars[i]);
  }
  CHECK(NmrExCaughtPanics() == 0);
}

static void run(const uint8_t *data, size_t size)
{
  bytes = data;
  bytes_end = data + size;
  if (registrars[1] == NULL) {
    CHECK_STATUS(NmrExCreateRegistrar(NULL, &registrars[1]), STATUS_SUCCESS);
    CHECK_STATUS(NmrExCreateRegistrar(NULL, &registrars[2]), STATUS_SUCCESS);
  }
  while (bytes < bytes_end) {
    act();
  }
  end();
}

#ifdef LIBFUZZER

#ifdef __cplusplus
extern "C"
#endif
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  run(data, size);
  return 0;
}

#else

/* The next of a sequence of random numbers: Marsaglia's xorshift64*. */
static uint64_t random_number(uint64_t *state)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545F4914F6CDD1Du;
}

int main(int argc, char **argv)
{
  const unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
  uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
  unsigned long sequences = 0;
  uint8_t data[1024];
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  watchdog(7200);
  for (; calls < wanted; sequences++) {
    const size_t size = 1 + random_number(&state) % sizeof(data);
    size_t i;
    for (i = 0; i < size; i++) {
      data[i] = (uint8_t)(random_number(&state) >> 56);
    }
    run(data, size);
  }
  CHECK_STATUS(NmrExDestroyRegistrar(registrars[1]), STATUS_SUCCESS);
  CHECK_STATUS(NmrExDestroyRegistrar(registrars[2]), STATUS_SUCCESS);
  printf("%lu calls in %lu sequences: %lu attached, %lu completed, %lu cleaned up, %lu ended, %lu refused, "
         "%lu nested, %lu deadlocks\n",
         calls, sequences, attached, completed, cleaned_up, ended, refused, nested, deadlocks);
  fflush(stdout);
  CHECK(attached > wanted / 100 && completed > wanted / 200 && cleaned_up > wanted / 100);
  CHECK(ended > wanted / 20 && refused > wanted / 10 && nested > wanted / 50 && deadlocks >= wanted / 10000);
  return 0;
}

#endif
