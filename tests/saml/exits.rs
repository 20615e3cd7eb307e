//! Exit of a process while it verifies.

use std::process::{Command, Stdio};
use std::thread;

/// Number of processes that end. One in a hundred crashed while the libraries still cleaned up at exit.
const PROCESSES: usize = 50;
const AT_ONCE: usize = 5;

/// Proves that no library takes itself apart at exit while threads verify: every process ends well.
#[test]
fn a_process_may_end_while_threads_verify() {
    let end = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_exits"));
        let output = program.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| (0..PROCESSES / AT_ONCE).for_each(|_| end()));
        }
    });
}
