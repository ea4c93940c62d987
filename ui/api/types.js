// The shapes of docs/api.md, for the type checker.

/** @typedef {'unspecified'|'internal'|'server'|'client'|'producer'|'consumer'} KindName */
/** @typedef {'unset'|'ok'|'error'} StatusName */

/** A format that traces are downloaded in. @typedef {'otlp'|'jaeger'|'zipkin'} ExportFormat */

/** @typedef {{ name: string, kind: KindName }} Operation */

/** @typedef {{ name: string, spans: number, errors: number }} ServiceShare */

/**
 * @typedef {object} TraceSummary
 * @property {string} trace_id
 * @property {string} root_service
 * @property {string} root_name
 * @property {string} start_unix_nano
 * @property {number} duration_nano
 * @property {number} span_count
 * @property {number} error_count
 * @property {number} matched_spans
 * @property {boolean} incomplete
 * @property {boolean} [truncated] there are more spans than were counted
 * @property {ServiceShare[]} services
 */

/** @typedef {{ traces: TraceSummary[], next_cursor: string | null, truncated: boolean }} SearchAnswer */

/**
 * @typedef {object} SkeletonColumns
 * @property {string[]} span_id
 * @property {number[]} parent
 * @property {number[]} start_offset_nano
 * @property {number[]} duration_nano
 * @property {number[]} service
 * @property {number[]} name
 * @property {number[]} kind
 * @property {number[]} status
 * @property {number[]} event_count
 * @property {number[]} flags
 */

/**
 * @typedef {object} Skeleton
 * @property {string} trace_id
 * @property {string} start_unix_nano
 * @property {number} duration_nano
 * @property {number} span_count
 * @property {boolean} incomplete
 * @property {boolean} [truncated] there are more spans; the earliest are here
 * @property {number} repeats
 * @property {string[]} services
 * @property {string[]} names
 * @property {SkeletonColumns} columns
 */

/**
 * @typedef {{ type: 'string', value: string }
 *   | { type: 'bool', value: boolean }
 *   | { type: 'int', value: string }
 *   | { type: 'double', value: number | 'NaN' | 'Infinity' | '-Infinity' }
 *   | { type: 'bytes', value: string }
 *   | { type: 'array', value: AttributeValue[] }
 *   | { type: 'map', value: Attribute[] }
 *   | { type: 'empty', value: null }} AttributeValue
 */

/** @typedef {{ key: string } & AttributeValue} Attribute */

/** @typedef {{ step: number | null, step_name: string | null, code: string, message: string, fix: string | null }} LadderReason */

/** @typedef {{ step: number, step_name: string, bundle_step: number | null, bundle_step_name: string | null, release: string | null, bundle: string | null, map: string | null }} FoundMap */

/** A file that frames are in: which map serves it, or why none does. @typedef {{ url: string, map: FoundMap | null, bad_map: string | null, reasons: LadderReason[], fix: string | null }} StackScript */

/**
 * @typedef {object} StackFrame
 * @property {number} text_line
 * @property {{ function: string | null, url: string, line: number, column: number }} raw
 * @property {{ file: string, source: string, line: number, column: number, function: string | null, in_app: boolean, context: { first_line: number, lines: string[] } | null } | null} resolved
 * @property {{ code: string, message: string } | null} kept
 * @property {number | null} script
 */

/** @typedef {{ raw: string, resolved: string, resolved_frames: number, frames: StackFrame[], frames_left_out: number, source_withheld: string | null, scripts: StackScript[] }} ResolvedStack */

/** @typedef {{ type: string, message: string, stack: ResolvedStack | null }} Exception */

/** @typedef {{ time_unix_nano: string, name: string, attributes: Attribute[], dropped_attributes_count: number, exception?: Exception }} SpanEvent */

/** @typedef {SpanEvent & { span_id: string | null, service: string }} EventWithoutSpan */

/** @typedef {StackScript & { service: string, version: string | null, exceptions: number, frames: number, resolved_frames: number, not_covered_frames: number, example_trace_id: string }} ScriptNeed */

/** @typedef {{ scripts: ScriptNeed[], exceptions: number, traces: number, truncated: boolean }} Needs */

/** @typedef {{ slug: string, created_unix_ms: number, project_count: number, release_count: number, bundle_count: number, bytes: number }} Organization */

/** @typedef {{ slug: string, created_unix_ms: number, services: string[] }} Project */

/** @typedef {{ id: string, kind: string, release: string | null, dist: string | null, debug_id: string | null, uploaded_unix_ms: number, last_used_unix_ms: number, file_count: number, bytes: number }} StoredBundle */

/** @typedef {{ url: string, path: string, type: string, debug_id: string | null, source_map: string | null, has_inline_map: boolean, map_file: string | null, bytes: number, sha256: string }} BundleFile */

/** @typedef {{ version: string, projects: string[], created_unix_ms: number, changed_unix_ms: number, released: string | null, bundle_count: number, commit_count: number, deploy_count: number }} Release */

/** @typedef {{ trace_id: string, span_id: string, trace_state: string, flags: number, attributes: Attribute[], dropped_attributes_count: number }} SpanLink */

/**
 * @typedef {object} SpanDetail
 * @property {string} trace_id
 * @property {string} span_id
 * @property {string | null} parent_span_id
 * @property {string} service
 * @property {string} name
 * @property {KindName} kind
 * @property {StatusName} status
 * @property {string} status_message
 * @property {string} start_unix_nano
 * @property {string} end_unix_nano
 * @property {number} duration_nano
 * @property {string} trace_state
 * @property {number} flags
 * @property {Attribute[]} attributes
 * @property {number} dropped_attributes_count
 * @property {SpanEvent[]} events
 * @property {number} dropped_events_count
 * @property {SpanLink[]} links
 * @property {number} dropped_links_count
 * @property {{ attributes: Attribute[], dropped_attributes_count: number, schema_url: string }} resource
 * @property {{ name: string, version: string, attributes: Attribute[], dropped_attributes_count: number, schema_url: string }} scope
 */

/** @typedef {{ needs_token: boolean, token: { name: string, scopes: string[] } | null }} Session */

/** @typedef {{ name: string, address: string }} Listener */

/**
 * @typedef {object} Status
 * @property {string} version
 * @property {number} spans
 * @property {string | null} oldest_start_unix_nano
 * @property {string | null} newest_start_unix_nano
 * @property {Listener[]} listeners
 */

export {};
