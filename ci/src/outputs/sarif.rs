//! SARIF 2.1.0 (OASIS, 2020), as code scanning reads it: the rules of the contract, and a result for each finding. Pure but
//! for the files that places are looked up in.
//!
//! A result is at the operation where its interleaving ends; `relatedLocations` are the lines of the source that it
//! names, and `codeFlows` the interleaving: a thread flow for each thread, in the order in which they went on.

use std::path::Path;

use nmr_models::report::Verdict;
use nmr_models::rule::Rule;
use serde_json::{Value, json};

use super::place::{self, Place, Step};
use super::{Tested, in_repository};

pub(super) fn log(command: &str, root: &Path, tested: &[Tested]) -> String {
    let rules = Rule::all().map(|rule| {
        json!({
            "id": rule.to_string(),
            "shortDescription": { "text": rule.title() },
        })
    });
    let found = tested.iter().filter(|one| one.verdict == Verdict::Violated);
    let results = found.map(|one| result(root, one));
    // What is not known is no result, and must not look like a clean run.
    let unknown = tested
        .iter()
        .filter(|one| matches!(one.verdict, Verdict::Incomplete | Verdict::HarnessError));
    let notifications = unknown.clone().map(|one| {
        json!({
            "level": if one.verdict == Verdict::Incomplete { "warning" } else { "error" },
            "message": { "text": format!("{} under {}: {}", one.suite, one.name, one.message) },
        })
    });
    let broken = unknown.filter(|one| one.verdict == Verdict::HarnessError);
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "nmr",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("nmr {command}/") },
            "invocations": [{
                "executionSuccessful": broken.count() == 0,
                "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
            }],
            "results": results.collect::<Vec<_>>(),
        }],
    });
    serde_json::to_string_pretty(&log).expect("it has a text form") + "\n"
}

fn result(root: &Path, one: &Tested) -> Value {
    let steps = place::steps(root, one);
    let related = place::in_message(root, &one.message);
    let rule = one.rule.map(|rule| rule.to_string());
    let mut result = json!({
        "level": "error",
        "message": { "text": format!("{} under {}: {}", one.suite, one.name, one.message) },
        // The same finding is the same alert tomorrow, wherever its lines have gone.
        "partialFingerprints": {
            "nmrFinding/v1": format!("{}/{}/{}", one.suite, one.name, rule.as_deref().unwrap_or("crash")),
        },
        "properties": { "scenario": one.suite, "engine": one.name },
    });
    if let Some(rule) = rule {
        result["ruleId"] = rule.into();
    }
    if let Some(case) = &one.case {
        result["properties"]["case"] = in_repository(root, case).into();
    }
    if let Some(place) = place::of(root, one) {
        result["locations"] = json!([{ "physicalLocation": physical(&place) }]);
    }
    if !related.is_empty() {
        let all = (0..).zip(&related).map(|(id, place)| {
            json!({
                "id": id,
                "physicalLocation": physical(place),
                "message": { "text": "where it was then" },
            })
        });
        result["relatedLocations"] = all.collect::<Vec<_>>().into();
    }
    if !steps.is_empty() {
        result["codeFlows"] = json!([{
            "message": { "text": "the interleaving" },
            "threadFlows": thread_flows(&steps),
        }]);
    }
    result
}

fn thread_flows(steps: &[Step]) -> Vec<Value> {
    let mut threads: Vec<&str> = Vec::new();
    for step in steps {
        if !threads.contains(&step.thread.as_str()) {
            threads.push(&step.thread);
        }
    }
    let flow = |thread: &str| {
        let of_it = (0..).zip(steps).filter(|(_, step)| step.thread == thread);
        let locations = of_it.map(|(order, step): (u64, &Step)| {
            json!({
                "executionOrder": order,
                "location": {
                    "physicalLocation": physical(&step.place),
                    "message": { "text": format!("{}: {}", step.thread, step.text) },
                },
            })
        });
        json!({ "id": thread, "locations": locations.collect::<Vec<_>>() })
    };
    threads.into_iter().map(flow).collect()
}

fn physical(place: &Place) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&place.file) },
        "region": { "startLine": place.line, "startColumn": place.column },
    })
}

/// A path as a relative reference, or as a file's address where it is absolute.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let mut uri = String::new();
    for byte in path.bytes() {
        match plain(byte) {
            true => uri.push(byte.into()),
            false => uri += &format!("%{byte:02X}"),
        }
    }
    match uri.starts_with('/') {
        true => format!("file://{uri}"),
        false => uri,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use nmr_models::report::Verdict;
    use serde_json::Value;

    use super::super::Tested;
    use super::super::samples::tested;
    use super::{log, uri};

    /// The published schema, from <https://json.schemastore.org/sarif-2.1.0.json>.
    const SCHEMA: &str = include_str!("../../tests/schemas/sarif-2.1.0.json");

    const CASE: &str = r#"kind = "schedule"
engine = "explorer"
rule = "C11"
message = "it broke"
schedule = ["one: begin", "two: begin", "one: acquire Mutex.1 after `deregister c`"]

[scenario]
name = "two"
summary = "Two."
rules = ["C11"]

[[scenario.module]]
name = "c"
side = "client"

[[scenario.thread]]
name = "one"
ops = ["register c", "deregister c"]

[[scenario.thread]]
name = "two"
ops = ["wait c"]
"#;

    fn assert_valid(text: &str) -> Value {
        // A pattern of it, that of languages, has a bracket too many.
        let schema = SCHEMA.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$");
        let schema: Value = serde_json::from_str(&schema).expect("it is JSON");
        let log: Value = serde_json::from_str(text).expect("it is JSON");
        let validator = jsonschema::validator_for(&schema).expect("it is a schema");
        let errors: Vec<String> = validator
            .iter_errors(&log)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        log
    }

    #[test]
    fn the_interleaving_is_a_flow_of_each_thread_at_its_operations() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = folder.path().join("it.toml");
        fs::write(&case, CASE).expect("it can be written");
        let found = Tested {
            case: Some(case),
            scenario: None,
            ..tested(Verdict::Violated, "it broke")
        };
        let log = assert_valid(&log("check", folder.path(), &[found]));
        let result = &log["runs"][0]["results"][0];
        let at = &result["locations"][0]["physicalLocation"];
        assert_eq!(at["artifactLocation"]["uri"], "it.toml");
        assert_eq!(at["region"]["startLine"], 18);
        assert_eq!(at["region"]["startColumn"], 22);
        let flows = result["codeFlows"][0]["threadFlows"]
            .as_array()
            .expect("flows");
        let orders = |flow: &Value| {
            let all = flow["locations"].as_array().expect("locations");
            all.iter()
                .map(|one| one["executionOrder"].as_u64())
                .collect::<Vec<_>>()
        };
        assert_eq!(orders(&flows[0]), [Some(0), Some(2)]);
        assert_eq!(orders(&flows[1]), [Some(1)]);
    }

    #[test]
    fn what_is_not_known_is_told_and_is_no_result() {
        let all = [
            tested(Verdict::Holds, ""),
            tested(Verdict::Incomplete, "2s were over"),
            tested(Verdict::HarnessError, "it died"),
        ];
        let log = assert_valid(&log("check", Path::new("/top"), &all));
        let run = &log["runs"][0];
        assert_eq!(run["results"], serde_json::json!([]));
        let invocation = &run["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let told = invocation["toolExecutionNotifications"]
            .as_array()
            .expect("told");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("a b/c.toml"), "a%20b/c.toml");
        assert_eq!(uri("/a/c.toml"), "file:///a/c.toml");
    }
}
