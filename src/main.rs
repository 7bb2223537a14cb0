//! The program: everything is in the library; this hands it the arguments.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    xiaoer::cli::run(std::env::args_os())
}
