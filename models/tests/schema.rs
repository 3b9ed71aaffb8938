//! The JSON schema of scenarios, `models/scenario.schema.json`, is the one that the code makes.
#![cfg(not(any(loom, shuttle)))]

use std::fs;
use std::path::Path;

use nmr_models::scenario::json_schema;

#[test]
fn the_schema_is_of_today() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenario.schema.json");
    let schema = json_schema();
    if std::env::var_os("NMR_UPDATE").is_some() {
        fs::write(&file, &schema).expect("it can be written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == schema,
        "models/scenario.schema.json is stale: NMR_UPDATE=1 cargo test -p nmr-models --test schema"
    );
}

#[test]
fn each_operation_of_the_text_form_fits_it() {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).expect("it is JSON");
    let pattern = schema["$defs"]["Op"]["pattern"]
        .as_str()
        .expect("there is one");
    for verb in ["register", "await", "unlock", "complete-all", "yield"] {
        assert!(pattern.contains(verb), "{pattern}");
    }
}
