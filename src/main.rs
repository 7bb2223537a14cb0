//! temporary
use std::io::*;
fn main() {
    let mut args = std::env::args().skip(2);
    let trace = args.next().unwrap();
    let f = BufReader::with_capacity(1<<18, std::fs::File::open(trace).unwrap());
    let mut inst = xiaoer::domain::installation::Installation::default();
    let r = xiaoer::replay::replay(&mut inst, f, stdout().lock(), |_| {});
    if let Err(e) = r { eprintln!("{e}"); std::process::exit(2); }
    if let Some("--report") = args.next().as_deref() {
        std::fs::write(args.next().unwrap(), serde_json::to_string(&inst.report()).unwrap()).unwrap();
    }
}
