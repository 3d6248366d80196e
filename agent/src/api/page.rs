//! `/`: the node on one page. No script, nothing from elsewhere, light or dark as the reader likes it.
//!
//! Every word from the host goes through [`html::Html::text`]; the picture escapes its own.

use libhw::inventory::{Class, Inventory};

use super::Published;
use super::health::{Health, Status};
use crate::event::{self, Record};
use crate::topology;
use crate::view;

mod html;
mod sections;
mod tiles;

use html::Html;

/// So many of the last changes are shown.
pub(super) const CHANGES: usize = 12;

const STYLE: &str = include_str!("page/style.css");

/// Nothing may load or run but the one style sheet, which is named by its SHA-256, and an icon in the page.
pub(super) const SECURITY_POLICY: &str = concat!(
    "default-src 'none'; style-src 'sha256-",
    include_str!("page/style.sha256"),
    "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);

/// A dial and the shadow of its gnomon.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3C\
                    circle cx='8' cy='8' r='7' fill='%23f3c969'/%3E%3Cpath d='M8 8 8 2 13 11z' fill='%23234'/%3E%3C/svg%3E";

/// The page as HTML. `changes` are lines of JSON, oldest first.
pub(super) fn render(published: &Published, health: &Health, changes: &[String]) -> String {
    let inventory = &*published.inventory;
    let name = inventory
        .system
        .as_ref()
        .and_then(|system| system.hostname.as_deref());
    let name = name.unwrap_or("this node");
    let mut html = Html::default();
    html.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"");
    html.raw(ICON);
    html.raw("\"><title>")
        .text(name)
        .raw(" · Gnomon</title><style>");
    html.raw(STYLE).raw("</style></head><body>");
    header(&mut html, name, published, health);
    html.raw("<main>");
    for complaint in health.complaints() {
        html.raw("<p class=\"complaint\" role=\"alert\">")
            .text(&complaint)
            .raw("</p>");
    }
    tiles::write(&mut html, inventory, published.problems().len());
    picture(&mut html, inventory);
    problems(&mut html, published);
    recent(&mut html, changes, published);
    sections::write(&mut html, inventory);
    html.raw("</main>");
    footer(&mut html, published);
    html.raw("</body></html>\n");
    html.into_text()
}

fn header(html: &mut Html, name: &str, published: &Published, health: &Health) {
    let (class, word) = match health.status() {
        _ if !published.fresh => ("degraded", "first inventory in progress"),
        Status::Ok if health.is_replay() => ("ok", "captured machine"),
        Status::Ok => ("ok", "agent healthy"),
        Status::Degraded => ("degraded", "agent degraded"),
        Status::Failing => ("failing", "agent failing"),
    };
    html.raw("<header><div><h1>").text(name).raw("</h1><p>");
    let system = view::summaries(&published.inventory).find(|(class, _)| *class == Class::System);
    html.text(&system.map(|(_, words)| words).unwrap_or_default());
    html.raw("</p></div><p class=\"status ")
        .raw(class)
        .raw("\">")
        .raw(word)
        .raw("</p></header>");
}

fn picture(html: &mut Html, inventory: &Inventory) {
    html.raw("<section><h2 id=\"topology\">Topology</h2><div class=\"picture\">");
    html.raw(&topology::svg(inventory));
    html.raw("</div></section>");
}

fn problems(html: &mut Html, published: &Published) {
    let problems = published.problems();
    if problems.is_empty() {
        return;
    }
    let rows = problems.iter().map(|problem| {
        let words = problem.to_string();
        let reason = words.strip_prefix(problem.path.as_str()).unwrap_or(&words);
        let reason = reason.trim_start_matches(": ").to_owned();
        vec![problem.class.clone(), problem.path.clone(), reason]
    });
    html.raw("<section><h2 id=\"problems\">What could not be read</h2>");
    html.table(&["class", "where", "why"], rows.collect());
    html.raw("</section>");
}

fn recent(html: &mut Html, changes: &[String], published: &Published) {
    html.raw("<section><h2 id=\"changes\">Last changes</h2>");
    let records = changes.iter().rev();
    let records = records.filter_map(|line| serde_json::from_str::<Record>(line).ok());
    let rows: Vec<_> = records.map(|record| row(&record)).collect();
    if rows.is_empty() {
        html.raw(
            "<p class=\"note\">Nothing has changed since the agent first looked.</p></section>",
        );
        return;
    }
    html.table(
        &["#n", "time (UTC)", "what", "change", "why the agent looked"],
        rows,
    );
    let waiting = published.pending.len();
    if waiting > 0 {
        let what = format!("{waiting} of them wait in memory for room on disk.");
        html.raw("<p class=\"note\">").text(&what).raw("</p>");
    }
    html.raw("</section>");
}

fn row(record: &Record) -> Vec<String> {
    let change = &record.change;
    let time = record
        .time
        .get(..23)
        .unwrap_or(&record.time)
        .replace('T', " ");
    let place = [&change.class, &change.table, &change.id];
    let place: Vec<_> = place
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect();
    let fields = change.fields.iter().map(|field| {
        let side = |value: &Option<serde_json::Value>| match value {
            None => "–".to_owned(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        format!(
            "{}: {} → {}",
            field.field,
            side(&field.before),
            side(&field.after)
        )
    });
    let fields: Vec<_> = fields.collect();
    let what = if fields.is_empty() {
        event::kind(change.change).to_owned()
    } else {
        fields.join(", ")
    };
    vec![
        record.seq.to_string(),
        time,
        place.join(" "),
        what,
        record.cause.clone(),
    ]
}

fn footer(html: &mut Html, published: &Published) {
    html.raw("<footer><p>Read ")
        .text(&event::rfc3339(published.time));
    if published.age().as_secs() > 0 {
        let age = format!(
            ", {} s before this page was made",
            published.age().as_secs()
        );
        html.text(&age);
    }
    html.raw(" · gnomon ").raw(env!("CARGO_PKG_VERSION"));
    html.raw(" · <a href=\"/metrics\">metrics</a> · <a href=\"/healthz\">health</a></p></footer>");
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let number = group
                .iter()
                .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
            let number = number << (8 * (3 - group.len()));
            for digit in 0..=group.len() {
                let index = number >> (18 - 6 * digit) & 63;
                text.push(char::from(DIGITS[index as usize]));
            }
            text.push_str(&"=".repeat(3 - group.len()));
        }
        text
    }

    #[test]
    fn the_security_policy_lets_the_style_sheet_in() {
        let hash = base64(&Sha256::digest(STYLE));
        assert!(
            SECURITY_POLICY.contains(&hash),
            "page/style.sha256 must hold {hash}"
        );
    }
}
