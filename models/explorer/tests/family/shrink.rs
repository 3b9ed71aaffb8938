//! Makes a program that fails smaller, as long as it still fails: what is left is easier to understand.

use super::program::{Cover, Op, Program, Says};

/// The smallest program that `fails` and can be reached from this one by leaving out one thing at a time.
pub(crate) fn shrunk(program: &Program, fails: impl Fn(&Program) -> bool) -> Program {
    let mut least = program.clone();
    while let Some(smaller) = smaller(&least).into_iter().find(&fails) {
        least = smaller;
    }
    least
}

/// The program without one of its parts, whichever.
fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Program)| {
        let mut smaller = program.clone();
        change(&mut smaller);
        if smaller != *program {
            all.push(smaller);
        }
    };
    if !program.has_child && program.alike == 0 && program.threads.len() > 2 {
        for thread in 0..program.threads.len() {
            add(&|smaller| drop(smaller.threads.remove(thread)));
        }
    }
    for (thread, ops) in program.threads.iter().enumerate() {
        let may_go = |index: &usize| !matches!(ops[*index], Op::Spawn | Op::Join | Op::Hold(_));
        for index in (0..ops.len()).filter(may_go) {
            add(&|smaller| {
                let alike = if thread < smaller.alike {
                    0..smaller.alike
                } else {
                    thread..thread + 1
                };
                for ops in &mut smaller.threads[alike] {
                    ops.remove(index);
                }
            });
        }
    }
    for cell in 0..program.cells.len() {
        add(&|smaller| smaller.cells[cell] = Cover::Mutex(Says::default()));
    }
    add(&|smaller| smaller.main_takes_part = false);
    add(&|smaller| smaller.forgets = false);
    add(&|smaller| smaller.external_state = false);
    add(&|smaller| smaller.alike = 0);
    all
}
