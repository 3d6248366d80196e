//! Does the command line say what it promises, and end as it promises?
//!
//! `UPDATE_GOLDEN=1` writes the texts in this folder anew; git diff then shows what users will see.

#[cfg(test)]
mod alarms;
#[cfg(test)]
mod command;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod terminal;
