//! /proc/cpuinfo of several architectures.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/cpuinfo";

const TEXTS: &[&[u8]] = &[
    b"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R) Gold 6430\nstepping\t: 8\nmicrocode\t: 0x2b000590\nflags\t\t: fpu vmx\naddress sizes\t: 46 bits physical, 57 bits virtual\n\nprocessor\t: 1\n\n",
    b"processor\t: 0\nFeatures\t: fp asimd aes\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n",
    b"vendor_id       : IBM/S390\n# processors    : 2\nfeatures\t: esan3 zarch\nprocessor 0: version = FF,  identification = 0133E8,  machine = 2964\nprocessor 1: version = FF,  identification = 0133E8,  machine = 2964\n",
    b"processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\nrevision\t: 2.2 (pvr 004e 1202)\n\ntimebase\t: 512000000\nplatform\t: PowerNV\nmachine\t\t: PowerNV 8335-GTH\n",
    b"processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdc\nmmu\t\t: sv39\nuarch\t\t: sifive,u74-mc\n\n",
];

gnomon_fuzz::target!(|bytes| file(Class::Cpu, PATH, TEXTS, bytes));
