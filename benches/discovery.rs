//! How long a look takes: at whole machines, at each class of one, at this host, and at single texts.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gnomon_benches::machines;
use libhw::inventory::{Class, Inventory, Scope, discover};
use libhw::io::root::Root;
use libhw::parse;

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("whole");
    for machine in machines() {
        group.bench_function(machine.name, |bencher| {
            bencher.iter(|| discover(&machine.root, &Scope::default()));
        });
    }
    let live = Root::live().expect("this host");
    group.bench_function("this-host", |bencher| {
        bencher.iter(|| discover(&live, &Scope::default()))
    });
}

fn classes(criterion: &mut Criterion) {
    for machine in machines() {
        let mut group = criterion.benchmark_group(machine.name);
        for class in Class::ALL {
            let scope = Scope {
                classes: vec![*class],
                ..Scope::default()
            };
            group.bench_function(class.name(), |bencher| {
                bencher.iter(|| discover(&machine.root, &scope));
            });
        }
        let inventory = discover(&machine.root, &Scope::default());
        group.bench_function("refresh", |bencher| {
            bencher.iter_batched_ref(
                || inventory.clone(),
                |inventory: &mut Inventory| inventory.refresh(&machine.root),
                criterion::BatchSize::LargeInput,
            );
        });
        group.bench_function("to_json", |bencher| {
            bencher.iter(|| serde_json::to_vec(&inventory).expect("an inventory is JSON"));
        });
    }
}

fn texts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("texts");
    let ranges: Vec<String> = (0..64)
        .map(|n| format!("{}-{}", n * 8, n * 8 + 3))
        .collect();
    let list = ranges.join(",");
    group.bench_function("list-of-64-ranges", |bencher| {
        bencher.iter(|| parse::list(black_box(&list)))
    });
    let bitmap = ["0f0f0f0f"; 16].join(",");
    group.bench_function("bitmap-of-512", |bencher| {
        bencher.iter(|| parse::bitmap(black_box(&bitmap)))
    });
    group.bench_function("size", |bencher| {
        bencher.iter(|| parse::size(black_box("32K\n")))
    });
    for machine in machines() {
        let Ok(Some(text)) = machine.root.text("proc/cpuinfo") else {
            continue;
        };
        group.bench_function(format!("cpuinfo-{}", machine.name), |bencher| {
            bencher.iter(|| parse::key_values(black_box(&text)).count());
        });
    }
}

criterion_group!(benches, whole, classes, texts);
criterion_main!(benches);
