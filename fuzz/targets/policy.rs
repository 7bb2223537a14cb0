//! Policies, as JSON and as TOML: nothing panics, and what is written back is read as the same policy.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xiaoer::domain::policy::Policy;

fuzz_target!(|text: &str| {
    if let Ok(value) = serde_json::from_str(text) {
        match Policy::parse(&value) {
            Ok(policy) => reads_back(&policy),
            Err(error) => {
                for problem in error.problems() {
                    let expected = &problem.expected;
                    assert!(!expected.english.is_empty(), "{error} says nothing");
                    assert!(!expected.chinese.is_empty(), "{error} says nothing");
                }
            }
        }
    }
    if let Ok(policy) = Policy::from_toml(text) {
        reads_back(&policy);
    }
});

fn reads_back(policy: &Policy) {
    let written = serde_json::to_value(policy).expect("a policy can be written");
    let read = Policy::parse(&written);
    assert_eq!(read.as_ref(), Ok(policy), "{written}");
}
