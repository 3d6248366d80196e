//! A whole machine, some of whose files are spoilt.
#![cfg_attr(fuzzing, no_main)]

gnomon_fuzz::target!(gnomon_fuzz::mutant::tree);
