//! Trusted operating systems (`Documentation/ABI/testing/sysfs-class-tee`, `sysfs-bus-optee-devices`).

use super::TrustedOs;
use crate::survey::Survey;

const CLASS: &str = "sys/class/tee";
const APPLICATIONS: &str = "sys/bus/tee/devices";

/// Those that programs may use: `teepriv` is the same one's side for its helper program.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<TrustedOs> {
    let numbers = survey.numbered(CLASS, "tee");
    if numbers.is_empty() {
        return Vec::new();
    }
    let applications = survey.names(APPLICATIONS);
    numbers
        .into_iter()
        .map(|number| trusted_os(survey, &format!("tee{number}"), &applications))
        .collect()
}

fn trusted_os(survey: &Survey<'_>, id: &str, applications: &[String]) -> TrustedOs {
    let directory = format!("{CLASS}/{id}");
    let names = survey.names(&directory);
    let text = |name: &str| {
        let listed = names.iter().any(|listed| listed == name);
        listed.then(|| survey.text(&format!("{directory}/{name}")))?
    };
    let driver = survey.link_name(&format!("{directory}/device/driver"));
    // Applications are named after the driver; the device that they hang off is not told.
    let own = |name: &&String| {
        let driver = driver.as_deref();
        driver.is_some_and(|driver| name.starts_with(driver))
    };
    TrustedOs {
        id: id.to_owned(),
        applications: applications.iter().filter(own).cloned().collect(),
        driver,
        rpmb_routing_model: text("rpmb_routing_model"),
        revision: text("revision"),
    }
}
