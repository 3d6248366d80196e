use super::*;

#[test]
fn every_cpu_stands_once_in_the_text() {
    for (name, inventory) in sample::all() {
        let tree = Tree::new(&inventory);
        if tree.folded {
            continue;
        }
        let text = text(&inventory, Style::default());
        let mut seen: Vec<u32> = text
            .split('[')
            .skip(1)
            .filter_map(|part| part.split_once(']'))
            .flat_map(|(cpus, _)| cpus.split(' '))
            .filter_map(|cpu| cpu.trim_end_matches(['i', 'n', 'x']).parse().ok())
            .collect();
        seen.sort_unstable();
        let mut all: Vec<u32> = tree
            .blocks
            .iter()
            .flat_map(|block| block.threads.iter().copied())
            .collect();
        all.sort_unstable();
        assert_eq!(seen, all, "{name}");
        assert!(
            numbers(&inventory).0.iter().all(|cpu| all.contains(cpu)),
            "{name}"
        );
    }
}

#[test]
fn so_many_cpus_are_listed_in_full() {
    let text = text(&sample::huge(), Style::default());
    let svg = svg(&sample::huge());
    for domain in 0..256_u32 {
        let (first, second) = (domain * 16, domain * 16 + 4096);
        let list = format!("{first}-{},{second}-{}", first + 15, second + 15);
        assert!(
            text.contains(&list) && svg.contains(&format!("CPUs {list}</text>")),
            "{list}"
        );
    }
    assert!(text.contains("each core: L1d 32 KiB, L1i 64 KiB, L2 512 KiB"));
}

#[test]
fn no_line_is_longer_than_the_terminal() {
    for (name, inventory) in sample::all() {
        for width in [0, 40, 61, 80, 132, 250] {
            let text = text(
                &inventory,
                Style {
                    width,
                    color: false,
                },
            );
            for line in text.lines() {
                assert!(
                    line.chars().count() <= width.max(40),
                    "{name} at {width}: {line}"
                );
                assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    for (name, inventory) in sample::all() {
        let plain = text(&inventory, Style::default());
        let coloured = text(
            &inventory,
            Style {
                color: true,
                ..Style::default()
            },
        );
        let mut stripped = String::new();
        for (number, part) in coloured.split('\u{1b}').enumerate() {
            let skip = if number == 0 {
                0
            } else {
                part.find('m').unwrap() + 1
            };
            stripped.push_str(&part[skip..]);
        }
        assert_eq!(stripped, plain, "{name}");
        assert!(name == "empty" || coloured.len() > plain.len(), "{name}");
    }
}

#[test]
fn hostile_names_stay_text() {
    let svg = svg(&sample::hostile());
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let text = text(&sample::hostile(), Style::default());
    assert!(!text.contains(['\u{1b}', '\u{7}', '\0', '\u{202e}']));
}
