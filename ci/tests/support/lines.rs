//! Shell that prints the lines of a worker, and ends as it does.

/// The rest of the result of a run in which nothing was found.
pub(crate) const CLEAN: &str = r#""how":null,"rule":null,"message":"""#;

/// Notes what the worker was asked for: see [`Fake::orders`](super::Fake::orders).
pub(crate) const NOTE_ORDER: &str = "echo \"$all\" >>\"${0%/*}/orders\"";

/// A line, then the end with `code`. In the line each `$name` is an option of the worker's.
fn says(line: &str, code: i32) -> String {
    let (mut format, mut rest, mut options) = (String::new(), line, String::new());
    while let Some(at) = rest.find('$') {
        let name = &rest[at + 1..];
        let end = name.find(|char: char| !char.is_alphanumeric() && char != '_');
        let (name, after) = name.split_at(end.unwrap_or(name.len()));
        format = format + &rest[..at] + "%s";
        options += &format!(" \"${name}\"");
        rest = after;
    }
    format!("printf '{format}{rest}\\n'{options}; exit {code}")
}

/// The result of a run.
pub(crate) fn result(verdict: &str, extent: &str, rest: &str, code: i32) -> String {
    let rest = rest.replace("\\n", "\\\\n");
    says(
        &format!(
            r#"{{"kind":"result","scenario":"$scenario","engine":"$engine","verdict":"{verdict}","extent":"{extent}",{rest},"executions":1234,"seconds":0.5,"seed":$seed,"case":null}}"#
        ),
        code,
    )
}

/// The result of a run that breaks a rule, which is given as JSON.
pub(crate) fn violated(rule: &str, message: &str) -> String {
    let rest = format!(r#""how":null,"rule":{rule},"message":"{message}""#);
    result("violated", "sampled", &rest, 1)
}

/// What a replay has to say that has found something, or nothing.
pub(crate) const FOUND: &str = r#""broken":"C16","message":"it has no end","schedule":["t: begin"],"interleaving":[{"thread":"t","event":"wait for c"}]"#;
pub(crate) const NOTHING: &str = r#""broken":null,"message":"","schedule":[],"interleaving":[]"#;

/// What came of a case: `verdict` is JSON, perhaps with what belongs to it.
pub(crate) fn replay(verdict: &str, rest: &str, code: i32) -> String {
    says(
        &format!(
            r#"{{"kind":"replay","scenario":"s","engine":"pct","rule":"C16","verdict":{verdict},"executions":3,{rest}}}"#
        ),
        code,
    )
}

/// A row of a table.
pub(crate) fn row(verdict: &str, how: &str, code: i32) -> String {
    says(
        &format!(
            r#"{{"kind":"bench","program":"$program","engine":"$engine","verdict":"{verdict}","how":{how},"executions":12,"before-restart":null,"states":5,"seconds":0.5,"workers":1,"memory":null,"without":[]}}"#
        ),
        code,
    )
}

/// All batches that a fuzzer is asked for, and its end; where they have none, the first one, and two seconds.
pub(crate) const BATCH: &str = r#"
number=${batches%%+*}; rest=${batches#*+}; step=${rest%%..*}
case "$rest" in *..*) end=${rest##*..};; *) end=$((number + 1));; esac
while [ "$number" -lt "$end" ]; do
    printf '{"kind":"fuzz-batch","number":%s,"programs":40,"of":40,"exhausted":30,"sampled":12,"failed":0,"incomplete":0,"harness-errors":0,"kept":1}\n' "$number"
    number=$((number + step))
done
case "$rest" in *..*) ;; *) sleep 2;; esac
exit 0"#;

/// Says which program it is at, as a fuzzer does.
pub(crate) const AT: &str = r##"printf '%s\n' '# 3 17 99' 'name = "generated"' 'summary = "s"' '[[module]]' 'name = "c1"' 'side = "client"' '[[thread]]' 'name = "t1"' 'ops = ["register c1"]' >"$at""##;
