//! /proc/crypto.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/crypto";

const TEXTS: &[&[u8]] = &[
    b"name         : cbc(aes)\ndriver       : cbc-aes-aesni\nmodule       : aesni_intel\npriority     : 400\nrefcnt       : 1\nselftest     : passed\ninternal     : no\ntype         : skcipher\nasync        : yes\nblocksize    : 16\nmin keysize  : 16\nmax keysize  : 32\nivsize       : 16\nchunksize    : 16\nwalksize     : 16\n\nname         : cbc(aes)\ndriver       : cbc(aes-generic)\nmodule       : cbc\npriority     : 100\nrefcnt       : 1\nselftest     : passed\ninternal     : no\ntype         : lskcipher\n\n",
    b"name         : crct10dif\ndriver       : \nmodule       : kernel\npriority     : -1\nrefcnt       : 2\nselftest     : unknown\ninternal     : no\ntype         : larval\nflags        : 0x10\n\n",
];

gnomon_fuzz::target!(|bytes| file(Class::Crypto, PATH, TEXTS, bytes));
