//! Tells rustdoc which build this is: cargo gives `RUSTFLAGS` to rustc alone, and the documentation's
//! tests must be compiled against the same backend as the crate.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (cfg, variable) in [("loom", "CARGO_CFG_LOOM"), ("shuttle", "CARGO_CFG_SHUTTLE")] {
        if std::env::var_os(variable).is_some() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
