//! The calls of the register, by name.

use super::error::RegisterError;
use super::fields::Fields;
use super::{
    DropEnrolment, FetchUser, NewAssessment, NewEnrolment, NewGrade, NewSection, RemoveAssessment,
    RemoveGrade, RemoveSection, RemoveUser, UpdateAssessment, UpdateSection, UpdateUser,
};
use crate::xmlrpc::Value;

/// What stands before the bare name in a path on the wire.
const PREFIX: &str = "register/";

/// One call, taken apart; its fields have their types and bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `fetch_user`.
    FetchUser(FetchUser),
    /// `update_user`.
    UpdateUser(UpdateUser),
    /// `remove_user`.
    RemoveUser(RemoveUser),
    /// `new_section`.
    NewSection(NewSection),
    /// `update_section`.
    UpdateSection(UpdateSection),
    /// `remove_section`.
    RemoveSection(RemoveSection),
    /// `new_enrolment`.
    NewEnrolment(NewEnrolment),
    /// `drop_enrolment`.
    DropEnrolment(DropEnrolment),
    /// `new_assessment`.
    NewAssessment(NewAssessment),
    /// `update_assessment`.
    UpdateAssessment(UpdateAssessment),
    /// `remove_assessment`.
    RemoveAssessment(RemoveAssessment),
    /// `new_grade`.
    NewGrade(NewGrade),
    /// `remove_grade`.
    RemoveGrade(RemoveGrade),
}

impl Call {
    /// Takes a call apart. `method` is the bare name or the whole path; of `params` only the first is the
    /// register's, what follows belongs to the one who carries the call. `None`: no such method.
    ///
    /// # Errors
    /// [`RegisterError::Missing`], [`RegisterError::Wrong`] or [`RegisterError::Role`].
    pub fn parse(method: &str, params: &[Value]) -> Result<Option<Self>, RegisterError> {
        let name = method.strip_prefix(PREFIX).unwrap_or(method);
        Ok(Some(match name {
            "fetch_user" => Self::FetchUser(FetchUser::parse(&mut Fields::of(params)?)?),
            "update_user" => Self::UpdateUser(UpdateUser::parse(&mut Fields::of(params)?)?),
            "remove_user" => Self::RemoveUser(RemoveUser::parse(params)?),
            "new_section" => Self::NewSection(NewSection::parse(&mut Fields::of(params)?)?),
            "update_section" => {
                Self::UpdateSection(UpdateSection::parse(&mut Fields::of(params)?)?)
            }
            "remove_section" => Self::RemoveSection(RemoveSection::parse(params)?),
            "new_enrolment" => Self::NewEnrolment(NewEnrolment::parse(&mut Fields::of(params)?)?),
            "drop_enrolment" => {
                Self::DropEnrolment(DropEnrolment::parse(&mut Fields::of(params)?)?)
            }
            "new_assessment" => {
                Self::NewAssessment(NewAssessment::parse(&mut Fields::of(params)?)?)
            }
            "update_assessment" => {
                Self::UpdateAssessment(UpdateAssessment::parse(&mut Fields::of(params)?)?)
            }
            "remove_assessment" => Self::RemoveAssessment(RemoveAssessment::parse(params)?),
            "new_grade" => Self::NewGrade(NewGrade::parse(&mut Fields::of(params)?)?),
            "remove_grade" => Self::RemoveGrade(RemoveGrade::parse(&mut Fields::of(params)?)?),
            _ => return Ok(None),
        }))
    }

    /// The bare name of the method.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self {
            Self::FetchUser(_) => "fetch_user",
            Self::UpdateUser(_) => "update_user",
            Self::RemoveUser(_) => "remove_user",
            Self::NewSection(_) => "new_section",
            Self::UpdateSection(_) => "update_section",
            Self::RemoveSection(_) => "remove_section",
            Self::NewEnrolment(_) => "new_enrolment",
            Self::DropEnrolment(_) => "drop_enrolment",
            Self::NewAssessment(_) => "new_assessment",
            Self::UpdateAssessment(_) => "update_assessment",
            Self::RemoveAssessment(_) => "remove_assessment",
            Self::NewGrade(_) => "new_grade",
            Self::RemoveGrade(_) => "remove_grade",
        }
    }
}
