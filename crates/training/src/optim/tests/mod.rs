mod groups;
mod resume;
mod settings;
mod updates;
