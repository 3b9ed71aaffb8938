//! C16 and C19 under load: many threads at once, and in the end every call has returned and nothing
//! is left.

use std::sync::Arc;
use std::thread;

use nmr::*;
use nmr_sync::Mutex;

use super::support::*;

const ROUNDS: usize = 500;

#[test]
fn life_cycles_on_one_interface_all_end() {
    in_time(|| {
        let world = World::default();
        let threads = [0, 1, 2, 3].map(|thread| {
            let world = world.clone();
            thread::spawn(move || {
                for _ in 0..ROUNDS {
                    if thread % 2 == 0 {
                        let (client, _) = world.add_client(world.client("c"));
                        world.end_client(client);
                    } else {
                        let (provider, _) = world.add_provider(world.provider("p"));
                        world.end_provider(provider);
                    }
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let log = world.log.take();
        let count = |what: &str| log.iter().filter(|event| *event == what).count();
        assert_eq!(count("c detach"), count("p attach"));
        assert_eq!(count("c detach"), count("p detach"));
        assert_eq!(count("c cleanup"), count("p attach"));
        assert_eq!(count("p cleanup"), count("p attach"));
        world.assert_empty();
    });
}

/// Pending detaches are completed by a thread of their own, as work queues do.
#[test]
fn pending_life_cycles_all_end() {
    in_time(|| {
        let world = World::default();
        let (send, receive) = std::sync::mpsc::channel::<(Side, BindingHandle)>();
        let registrar = world.registrar.clone();
        let completer = thread::spawn(move || {
            let mut completed = 0;
            for (side, binding) in receive {
                let done = match side {
                    Side::Client => registrar.client_detach_complete(binding),
                    Side::Provider => registrar.provider_detach_complete(binding),
                };
                done.expect("each is completed once");
                completed += 1;
            }
            completed
        });
        let threads = [Side::Client, Side::Provider, Side::Client, Side::Provider].map(|side| {
            let (world, send) = (world.clone(), Mutex::new(send.clone()));
            let send = Arc::new(send);
            let pending = move |asked: Asked<'_>| {
                send.lock()
                    .send((side, asked.binding))
                    .expect("the completer listens");
                Detach::Pending
            };
            thread::spawn(move || {
                for _ in 0..ROUNDS {
                    let pending = pending.clone();
                    match side {
                        Side::Client => {
                            let client = world.client("c").on_detach(pending);
                            world.end_client(world.add_client(client).0);
                        }
                        Side::Provider => {
                            let provider = world.provider("p").on_detach(pending);
                            world.end_provider(world.add_provider(provider).0);
                        }
                    }
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        drop(send);
        let log = world.log.take();
        let detached = log
            .iter()
            .filter(|event| event.ends_with(" detach"))
            .count();
        assert_eq!(completer.join().unwrap(), detached);
        world.assert_empty();
    });
}

#[test]
fn limits_that_several_interfaces_share_are_exact_when_all_is_quiet() {
    in_time(|| {
        let limits = Registrar::builder().max_registrations(2).max_bindings(2);
        let world = World::with(limits);
        let threads = [1, 2, 3_u128].map(|npi| {
            let world = world.clone();
            thread::spawn(move || {
                let instance = RegistrationInstance::new(NpiId(npi), ModuleId(1));
                for _ in 0..ROUNDS {
                    let client = Arc::new(world.client("c"));
                    match world.registrar.register_client(instance.clone(), client) {
                        Ok(handle) => world.end_client(handle),
                        Err(full) => assert_eq!(full.status(), Status::INSUFFICIENT_RESOURCES),
                    }
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        world.assert_empty();
        let (first, _) = world.add_client(world.client("c1"));
        let (second, _) = world.add_provider(world.provider("p1"));
        world.end_client(first);
        world.end_provider(second);
    });
}
