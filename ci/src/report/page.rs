//! The page: the template, with style, scripts and data inside.

use crate::error::Error;

use super::data::Report;

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");

/// The scripts, each of which uses those before it only.
const SCRIPTS: [&str; 7] = [
    include_str!("page/dom.js"),
    include_str!("page/store.js"),
    include_str!("page/trace.js"),
    include_str!("page/lanes.js"),
    include_str!("page/registrar.js"),
    include_str!("page/case.js"),
    include_str!("page/overview.js"),
];
const MAIN: &str = include_str!("page/main.js");

/// The whole file.
///
/// # Errors
/// The data has no JSON form.
pub fn page(report: &Report) -> Result<String, Error> {
    let data = serde_json::to_string(report).map_err(std::io::Error::from)?;
    let (before_style, rest) = split(TEMPLATE, "{style}");
    let (before_data, rest) = split(rest, "{data}");
    let (before_script, after) = split(rest, "{script}");
    let script = SCRIPTS.concat() + MAIN;
    let parts = [
        before_style,
        STYLE,
        before_data,
        &inert(&data),
        before_script,
        &script,
        after,
    ];
    Ok(parts.concat())
}

/// The template has each mark once.
fn split<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_once(mark).unwrap_or((text, ""))
}

/// JSON that ends no element and begins no comment, wherever it stands: names of scenarios may be anything.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::{MAIN, SCRIPTS, STYLE, TEMPLATE, inert, page};
    use crate::report::data::{Case, Report};
    use nmr_models::replay::Verdict;

    #[test]
    fn the_template_has_each_mark_once_in_their_order() {
        let marks = ["{style}", "{data}", "{script}"];
        let places = marks.map(|mark| {
            let found: Vec<usize> = TEMPLATE.match_indices(mark).map(|(at, _)| at).collect();
            assert_eq!(found.len(), 1, "{mark}");
            found[0]
        });
        assert!(places.is_sorted());
    }

    #[test]
    fn what_is_inert_is_the_same_json() {
        let text = "</script><!-- & \u{2028}";
        let json = serde_json::to_string(text).expect("text");
        let inert = inert(&json);
        assert!(!inert.contains(['<', '>', '&']), "{inert}");
        assert_eq!(serde_json::from_str::<String>(&inert).expect("JSON"), text);
    }

    #[test]
    fn a_name_cannot_leave_the_data() {
        let mut report = Report::new();
        let case = Case {
            scenario: Some("</script><script>alert(1)</script>{script}{style}".to_owned()),
            ..Case::unread("a.toml".as_ref(), &Verdict::Fixed { states: None })
        };
        report.cases.push(case);
        let page = page(&report).expect("it is data");
        assert!(
            !page.contains("<script>alert"),
            "it is a script of the page"
        );
        assert_eq!(
            page.matches("<script").count(),
            2,
            "the data and the scripts"
        );
        assert_eq!(page.matches("</script").count(), 2);
    }

    #[test]
    fn nothing_is_fetched_from_anywhere() {
        let page = page(&Report::new()).expect("it is data");
        for of_the_network in ["http:", "https:", "//cdn", "@import", "src=", "url("] {
            assert!(!page.contains(of_the_network), "{of_the_network}");
        }
        assert!(
            page.contains("default-src 'none'"),
            "the browser sees to it"
        );
    }

    #[test]
    fn scripts_put_no_text_into_markup() {
        for script in SCRIPTS.iter().chain([&MAIN]) {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!script.contains(way), "{way}");
            }
        }
        assert!(!STYLE.contains("</style"));
    }
}
