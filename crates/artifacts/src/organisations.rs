//! Organisations, their projects, and the services that a project serves.

use std::ops::Bound;

use redb::ReadableTable;

use crate::error::{Error, Result};
use crate::metadata::rows::{OrganisationRow, ProjectRow, decode, encode};
use crate::metadata::tables::{Tables, View, row};
use crate::names::{check_slug, check_text};
use crate::options::Quotas;
use crate::page::{Listed, Page};
use crate::store::{Artifacts, TENANT};

/// Services that can be mapped to one project.
const MAX_SERVICES: usize = 1000;

/// What happens with an organisation, a project or a release that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMissing {
    /// It comes into being.
    Create,
    /// It is an [`Error::NotFound`].
    Refuse,
}

/// Who owns projects and chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its name in addresses.
    pub slug: String,
    /// When it came into being, in milliseconds since 1970.
    pub created_ms: u64,
    /// How many projects it has.
    pub projects: u64,
    /// How many releases it has.
    pub releases: u64,
    /// How many bundles and single files it has.
    pub bundles: u64,
    /// Bytes of its files, as clients have them.
    pub bytes: u64,
    /// Bytes of its chunks.
    pub chunk_bytes: u64,
}

/// What releases belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// A number that no other project has, also in answers of the protocol.
    pub id: u64,
    /// Its organisation.
    pub organisation: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it came into being, in milliseconds since 1970.
    pub created_ms: u64,
    /// Services that were mapped to it, besides the one of its own name.
    pub services: Vec<String>,
}

impl Artifacts {
    /// An organisation; `None` when there is none of the name.
    pub fn organisation(&self, slug: &str) -> Result<Option<Organisation>> {
        let view = self.inner.metadata.view()?;
        let row = row(&view.organisations, (TENANT, slug))?;
        Ok(row.map(|row| organisation(slug, row)))
    }

    /// Organisations by name.
    pub fn organisations(&self, page: &Page) -> Result<Listed<Organisation>> {
        let view = self.inner.metadata.view()?;
        let after = page.after.as_deref().unwrap_or("");
        let range = (Bound::Excluded((TENANT, after)), Bound::Unbounded);
        let mut items = Vec::new();
        for entry in view.organisations.range::<(&str, &str)>(range)? {
            let (key, value) = entry?;
            let (tenant, slug) = key.value();
            if tenant != TENANT {
                break;
            }
            if items.len() == page.limit() {
                return Ok(more(items, |last: &Organisation| last.slug.clone()));
            }
            items.push(organisation(slug, decode(value.value())?));
        }
        Ok(Listed { items, next: None })
    }

    /// Makes an organisation, or gives the one of that name.
    pub fn create_organisation(&self, slug: &str) -> Result<Organisation> {
        let now = self.inner.now_ms();
        let row = self.inner.change(|tables| {
            tables.organisation(slug, IfMissing::Create, &self.inner.options.quotas, now)
        })?;
        Ok(organisation(slug, row))
    }

    /// A project; `None` when there is none of the name.
    pub fn project(&self, organisation: &str, slug: &str) -> Result<Option<Project>> {
        let view = self.inner.metadata.view()?;
        let Some(owner) = view.organisation(organisation)? else {
            return Ok(None);
        };
        let row = row(&view.projects, (owner.id, slug))?;
        Ok(row.map(|row| project(organisation, slug, row)))
    }

    /// The project with this id.
    pub fn project_by_id(&self, id: u64) -> Result<Option<Project>> {
        self.inner.metadata.view()?.project_by_id(id)
    }

    /// Projects of an organisation by name.
    pub fn projects(&self, organisation: &str, page: &Page) -> Result<Listed<Project>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let after = page.after.as_deref().unwrap_or("");
        let range = (Bound::Excluded((owner.id, after)), Bound::Unbounded);
        let mut items = Vec::new();
        for entry in view.projects.range::<(u64, &str)>(range)? {
            let (key, value) = entry?;
            let (id, slug) = key.value();
            if id != owner.id {
                break;
            }
            if items.len() == page.limit() {
                return Ok(more(items, |last: &Project| last.slug.clone()));
            }
            items.push(project(organisation, slug, decode(value.value())?));
        }
        Ok(Listed { items, next: None })
    }

    /// Makes a project, or gives the one of that name.
    pub fn create_project(
        &self,
        organisation: &str,
        slug: &str,
        if_missing: IfMissing,
    ) -> Result<Project> {
        let now = self.inner.now_ms();
        let quotas = &self.inner.options.quotas;
        let row = self.inner.change(|tables| {
            let owner = tables.organisation(organisation, if_missing, quotas, now)?;
            tables.project(organisation, owner.id, slug, IfMissing::Create, quotas, now)
        })?;
        Ok(project(organisation, slug, row))
    }

    /// Lets a project serve a service.
    pub fn map_service(&self, organisation: &str, slug: &str, service: &str) -> Result<Project> {
        check_text("the service", service)?;
        self.change_services(organisation, slug, |services| {
            if services.iter().any(|known| known == service) {
                return Ok(());
            }
            if services.len() >= MAX_SERVICES {
                return Err(Error::Quota {
                    scope: format!("the project {slug:?}"),
                    what: "services",
                    limit: MAX_SERVICES as u64,
                });
            }
            services.push(service.to_owned());
            services.sort_unstable();
            Ok(())
        })
    }

    /// Ends what [`map_service`](Self::map_service) began.
    pub fn unmap_service(&self, organisation: &str, slug: &str, service: &str) -> Result<Project> {
        self.change_services(organisation, slug, |services| {
            let before = services.len();
            services.retain(|known| known != service);
            if services.len() == before {
                return Err(Error::not_found("mapping of the service", service));
            }
            Ok(())
        })
    }

    fn change_services(
        &self,
        organisation: &str,
        slug: &str,
        act: impl FnOnce(&mut Vec<String>) -> Result<()>,
    ) -> Result<Project> {
        let row = self.inner.change(|tables| {
            let owner = tables.known_organisation(organisation)?;
            let mut row: ProjectRow = row(&tables.projects, (owner.id, slug))?
                .ok_or_else(|| Error::not_found("project", slug))?;
            act(&mut row.services)?;
            tables.put_project(owner.id, slug, &row)?;
            tables.bump_generation()?;
            Ok(row)
        })?;
        Ok(project(organisation, slug, row))
    }
}

impl View {
    pub(crate) fn organisation(&self, slug: &str) -> Result<Option<OrganisationRow>> {
        row(&self.organisations, (TENANT, slug))
    }

    pub(crate) fn known_organisation(&self, slug: &str) -> Result<OrganisationRow> {
        self.organisation(slug)?
            .ok_or_else(|| Error::not_found("organisation", slug))
    }

    pub(crate) fn project_by_id(&self, id: u64) -> Result<Option<Project>> {
        let Some(name) = self.project_names.get(id)? else {
            return Ok(None);
        };
        let (owner, slug) = name.value();
        let Some(owner_name) = self.organisation_names.get(owner)? else {
            return Ok(None);
        };
        let row = row(&self.projects, (owner, slug))?;
        Ok(row.map(|row| project(owner_name.value().1, slug, row)))
    }
}

impl Tables<'_> {
    pub(crate) fn known_organisation(&self, slug: &str) -> Result<OrganisationRow> {
        row(&self.organisations, (TENANT, slug))?
            .ok_or_else(|| Error::not_found("organisation", slug))
    }

    pub(crate) fn organisation(
        &mut self,
        slug: &str,
        if_missing: IfMissing,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<OrganisationRow> {
        if if_missing == IfMissing::Refuse {
            return self.known_organisation(slug);
        }
        if let Some(row) = row(&self.organisations, (TENANT, slug))? {
            return Ok(row);
        }
        check_slug("the organisation", slug)?;
        use redb::ReadableTableMetadata;
        if self.organisations.len()? >= quotas.organisations {
            return Err(Error::Quota {
                scope: "this server".to_owned(),
                what: "organisations",
                limit: quotas.organisations,
            });
        }
        let row = OrganisationRow {
            id: self.next_id()?,
            created_ms: now_ms,
            projects: 0,
            releases: 0,
            bundles: 0,
            bytes: 0,
            chunk_bytes: 0,
        };
        self.organisation_names.insert(row.id, (TENANT, slug))?;
        self.put_organisation(slug, &row)?;
        Ok(row)
    }

    pub(crate) fn put_organisation(&mut self, slug: &str, row: &OrganisationRow) -> Result<()> {
        let json = encode(row)?;
        self.organisations.insert((TENANT, slug), json.as_slice())?;
        Ok(())
    }

    /// Changes the counts of an organisation.
    pub(crate) fn change_organisation(
        &mut self,
        id: u64,
        act: impl FnOnce(&str, &mut OrganisationRow) -> Result<()>,
    ) -> Result<()> {
        // Deleted a moment ago, by somebody else.
        let missing = || Error::not_found("organisation", id);
        let slug = {
            let name = self.organisation_names.get(id)?.ok_or_else(missing)?;
            name.value().1.to_owned()
        };
        let mut row: OrganisationRow =
            row(&self.organisations, (TENANT, slug.as_str()))?.ok_or_else(missing)?;
        act(&slug, &mut row)?;
        self.put_organisation(&slug, &row)
    }

    pub(crate) fn project(
        &mut self,
        organisation: &str,
        owner: u64,
        slug: &str,
        if_missing: IfMissing,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<ProjectRow> {
        if let Some(row) = row(&self.projects, (owner, slug))? {
            return Ok(row);
        }
        if if_missing == IfMissing::Refuse {
            return Err(Error::not_found("project", slug));
        }
        check_slug("the project", slug)?;
        self.change_organisation(owner, |_, row| {
            if row.projects >= quotas.projects {
                return Err(Error::Quota {
                    scope: format!("the organisation {organisation:?}"),
                    what: "projects",
                    limit: quotas.projects,
                });
            }
            row.projects += 1;
            Ok(())
        })?;
        let row = ProjectRow {
            id: self.next_id()?,
            name: slug.to_owned(),
            created_ms: now_ms,
            services: Vec::new(),
        };
        self.project_names.insert(row.id, (owner, slug))?;
        self.put_project(owner, slug, &row)?;
        // A second project ends that the first one serves everybody.
        self.bump_generation()?;
        Ok(row)
    }
}

fn organisation(slug: &str, row: OrganisationRow) -> Organisation {
    Organisation {
        slug: slug.to_owned(),
        created_ms: row.created_ms,
        projects: row.projects,
        releases: row.releases,
        bundles: row.bundles,
        bytes: row.bytes,
        chunk_bytes: row.chunk_bytes,
    }
}

fn project(organisation: &str, slug: &str, row: ProjectRow) -> Project {
    Project {
        id: row.id,
        organisation: organisation.to_owned(),
        slug: slug.to_owned(),
        name: row.name,
        created_ms: row.created_ms,
        services: row.services,
    }
}

/// A page after which another one comes.
pub(crate) fn more<T>(items: Vec<T>, cursor: impl FnOnce(&T) -> String) -> Listed<T> {
    let next = items.last().map(cursor);
    Listed { items, next }
}
