mod groups;
mod no_schedule;
mod passes;
mod resume;
mod settings;
mod updates;
