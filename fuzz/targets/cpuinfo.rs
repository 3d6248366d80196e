//! /proc/cpuinfo.
#![cfg_attr(fuzzing, no_main)]

gnomon_fuzz::target!(|bytes| gnomon_fuzz::mutant::file("proc/cpuinfo", bytes));
