//! Does the program survive whatever libnvidia-ml does, and say what it says? Against a library made for the test
//! (../stub.c), and where there is a GPU against nvidia-smi.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod smi;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod values;
