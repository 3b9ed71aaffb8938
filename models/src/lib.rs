//! Scenarios, scripted modules, the oracle and the engines that judge the registrar.

pub mod event;
pub mod op;
pub mod oracle;
pub mod process;
pub mod report;
pub mod scenario;
