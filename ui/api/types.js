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

/** @typedef {{ time_unix_nano: string, name: string, attributes: Attribute[], dropped_attributes_count: number }} SpanEvent */

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
