//! /proc/self/mounts, where huge pages are mounted.
#![cfg_attr(fuzzing, no_main)]

gnomon_fuzz::target!(|bytes| gnomon_fuzz::mutant::file("proc/self/mounts", bytes));
