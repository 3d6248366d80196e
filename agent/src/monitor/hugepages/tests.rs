use crate::monitor::scene::{Scene, row};

use super::ROW;

const POOL: &str = "sys/kernel/mm/hugepages/hugepages-2048kB";

fn scene(command_line: &str) -> Scene {
    let scene = Scene::new(
        &ROW,
        &[
            ("proc/cmdline", command_line),
            ("proc/meminfo", "Hugepagesize:       2048 kB\n"),
        ],
    );
    for (name, text) in [
        ("nr_hugepages", "512\n"),
        ("free_hugepages", "512\n"),
        ("resv_hugepages", "0\n"),
        ("surplus_hugepages", "0\n"),
    ] {
        scene.write(&format!("{POOL}/{name}"), text);
    }
    scene
}

#[test]
fn a_pool_that_is_used_up_or_promised_away_is_told() {
    let mut scene = scene("ro\n");
    assert_eq!(scene.wrong(), []);
    let told = [row(
        "host.hugepages.exhausted",
        "node=all.size=2 MiB",
        "fault",
    )];
    scene.write(&format!("{POOL}/resv_hugepages"), "512\n");
    assert_eq!(scene.wrong(), told);
    scene.write(&format!("{POOL}/resv_hugepages"), "0\n");
    scene.write(&format!("{POOL}/free_hugepages"), "0\n");
    assert_eq!(scene.wrong(), told);
    // A pool without pages is none.
    scene.write(&format!("{POOL}/nr_hugepages"), "0\n");
    assert_eq!(scene.wrong(), []);
}

#[test]
fn fewer_pages_than_the_kernel_was_told_to_make_are_told() {
    let short = [row("host.hugepages.short", "node=all.size=2 MiB", "fault")];
    for (command_line, expected) in [
        ("hugepages=512", &[][..]),
        ("hugepages=513", &short[..]),
        ("hugepagesz=2M hugepages=0:300,1:300", &short),
        (
            "hugepagesz=1G hugepages=600 hugepagesz=2048k hugepages=100",
            &[],
        ),
        ("default_hugepagesz=1G hugepages=600", &[]),
        ("hugepages=many hugepagesz=99999999999G hugepages=1", &[]),
        ("quiet -- hugepages=900", &[]),
    ] {
        assert_eq!(scene(command_line).wrong(), expected, "{command_line}");
    }
}
