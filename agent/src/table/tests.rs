use super::*;

fn page(width: Option<usize>, table: &Table) -> String {
    let mut page = Page::new();
    page.table(table);
    page.into_text(Style {
        width,
        color: false,
    })
}

fn sample() -> Table {
    let mut table = Table::new(&[
        Column::Left("name"),
        Column::Right("size"),
        Column::Left("unused"),
        Column::Wrap("what it is"),
    ]);
    table.row(["a".into(), "5".into(), "".into(), "short".into()]);
    table.row([
        "bcdef".into(),
        "12345".into(),
        "".into(),
        "0-3,8-11,16-19,24-27 and some more".into(),
    ]);
    table
}

#[test]
fn columns_are_aligned_and_an_empty_one_is_left_out() {
    assert_eq!(
        page(None, &sample()),
        concat!(
            "  name    size  what it is\n",
            "  a          5  short\n",
            "  bcdef  12345  0-3,8-11,16-19,24-27 and some more\n",
        )
    );
}

#[test]
fn a_narrow_terminal_folds_long_text_at_commas_and_spaces() {
    assert_eq!(
        page(Some(34), &sample()),
        concat!(
            "  name    size  what it is\n",
            "  a          5  short\n",
            "  bcdef  12345  0-3,8-11,16-19,\n",
            "                24-27 and some\n",
            "                more\n",
        )
    );
}

#[test]
fn a_terminal_of_no_width_at_all_loses_nothing() {
    for width in 0..40 {
        let text = page(Some(width), &sample());
        assert!(text.contains("some"), "{width}: {text}");
    }
}

#[test]
fn a_control_character_never_reaches_the_terminal() {
    let mut table = Table::facts();
    table.fact("name", "evil\u{1b}[2J\n\u{9b}31m\0");
    assert_eq!(
        page(None, &table),
        "  name  evil\u{fffd}[2J\u{fffd}\u{fffd}31m\u{fffd}\n"
    );
}

#[test]
fn an_absent_fact_takes_no_line() {
    let mut table = Table::facts();
    table.fact("name", Cell::of(None::<&String>));
    assert_eq!(page(None, &table), "");
}

#[test]
fn a_section_without_anything_says_so() {
    let mut page = Page::new();
    page.title("A");
    page.table(&Table::facts());
    page.title("B");
    page.table(&sample());
    page.table(&sample());
    let text = page.into_text(Style::default());
    assert!(
        text.starts_with("A\n  nothing known\n\nB\n  name "),
        "{text}"
    );
    assert!(text.contains("more\n\n  name "), "{text}");
}

#[test]
fn colours_do_not_count_as_width() {
    let mut table = Table::new(&[Column::Left("a"), Column::Left("b")]);
    table.row([Cell::new("x", Paint::Bad), "y".into()]);
    let mut page = Page::new();
    page.table(&table);
    let style = Style {
        width: None,
        color: true,
    };
    assert_eq!(
        page.into_text(style),
        "  \x1b[2ma\x1b[0m  \x1b[2mb\x1b[0m\n  \x1b[31mx\x1b[0m  y\n"
    );
}
