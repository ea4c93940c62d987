import * as api from '../../api/index.js';
import { Outside } from '../bits.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';

/** @import { Project } from '../../api/types.js' */

/**
 * Which services a project's maps serve.
 * @param {{ organization: string, alone: boolean, onChange: () => void }} props `alone` where there is no other project
 */
export function Projects({ organization, alone, onChange }) {
  const [projects, setProjects] = useState(/** @type {Project[]} */ ([]));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    api.projects(organization, controller.signal).then(
      (page) => setProjects(page.projects),
      (failure) => {
        if (!api.isAbort(failure)) setError(failure);
      },
    );
    return () => controller.abort();
  }, [organization]);

  const change = async (/** @type {Project} */ project, /** @type {string} */ service, /** @type {boolean} */ serves) => {
    try {
      const changed = await api.serve(organization, project.slug, service, serves);
      setProjects((known) => known.map((other) => (other.slug === changed.slug ? changed : other)));
      setError(null);
      onChange();
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    }
  };
  return html`<div class="projects">
    ${error === null ? null : html`<${Problem} error=${error} subject="project" />`}
    ${projects.map((project) => html`<${ProjectItem} project=${project} alone=${alone} onChange=${change} key=${project.slug} />`)}
  </div>`;
}

/** @param {{ project: Project, alone: boolean, onChange: (project: Project, service: string, serves: boolean) => Promise<boolean> }} props */
function ProjectItem({ project, alone, onChange }) {
  const [service, setService] = useState('');
  const add = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const name = service.trim();
    if (name !== '' && (await onChange(project, name, true))) setService('');
  };
  const others = project.services.filter((name) => name !== project.slug);
  return html`<div class="project" role="group" aria-label=${`Project ${project.slug}`}>
    <span class="project-says">Maps of project <strong><${Outside} text=${project.slug} limit=${100} /></strong> serve${alone ? ' every service, as there is no other project; once there is, they serve' : ''}</span>
    <ul class="chips" aria-label=${`Services of project ${project.slug}`}>
      <li class="chip" title="A project serves the service of its own name"><${Outside} text=${project.slug} limit=${60} /></li>
      ${others.map(
        (name) => html`<li class="chip removable" key=${name}><${Outside} text=${name} limit=${60} />
          <button type="button" class="icon-button small" title=${`No longer serve ${name}`} aria-label=${`No longer serve ${name}`} onClick=${() => onChange(project, name, false)}><${Icon} name="close" /></button></li>`,
      )}
    </ul>
    <form class="serve" onSubmit=${add}><input type="text" value=${service} placeholder="another service" aria-label=${`A service that project ${project.slug} serves too`} autocomplete="off" autocapitalize="off" spellcheck=${false}
      onInput=${(/** @type {Event} */ event) => setService(/** @type {HTMLInputElement} */ (event.target).value)} /><button type="submit" class="button">Add</button></form>
  </div>`;
}
