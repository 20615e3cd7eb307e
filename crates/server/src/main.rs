//! The command `vestibule`; everything is in the library.

use std::process::ExitCode;

/// Parsing and signing make many small allocations on several threads, which the C library's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::cli::main()
}
