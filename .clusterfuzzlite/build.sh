#!/bin/bash -eu
# Builds the target for ClusterFuzzLite and OSS-Fuzz, whose image has cargo-fuzz and says where the result goes. Locally:
# .ci/libfuzzer.
cd "$SRC/nmr"
cargo fuzz build --fuzz-dir properties/fuzz -O --debug-assertions programs
cp properties/fuzz/target/x86_64-unknown-linux-gnu/release/programs "$OUT/"
