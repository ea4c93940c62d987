import { drawScatter } from '../../canvas/scatter-draw.js';
import { layOutScatter, nearestPoint, roundTimes, timeAt, xOfTime } from '../../canvas/scatter-layout.js';
import { Surface } from '../../canvas/surface.js';
import { readTheme } from '../../canvas/theme.js';
import { serviceColor } from '../../model/palette.js';
import { counted, label } from '../../model/text.js';
import { datePart, formatDuration, timePart } from '../../model/time.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../html.js';
import { themeVersion, zone } from '../preferences.js';
import { navigate } from '../router.js';

/**
 * @import { TraceSummary } from '../../api/types.js'
 * @import { ScatterPlot } from '../../canvas/scatter-layout.js'
 * @import { Zone } from '../../model/time.js'
 */

const HEIGHT = 168;
/** A drag shorter than this is a click. */
const DRAG_STARTS = 5;

/**
 * The results in one picture. A click opens a trace, a drag searches the time that it covers. Who can't
 * point has the list below, which holds the same traces.
 *
 * @param {{ traces: TraceSummary[], onRange: (fromMs: number, toMs: number) => void }} props
 */
export function Scatter({ traces, onRange }) {
  const host = useRef(/** @type {HTMLDivElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const surface = useRef(/** @type {Surface | null} */ (null));
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useState(-1);
  const [brush, setBrush] = useState(/** @type {{ from: number, to: number } | null} */ (null));
  const pressed = useRef(/** @type {number | null} */ (null));
  const plot = useMemo(() => layOutScatter(traces, width, HEIGHT), [traces, width]);
  const colorsVersion = themeVersion.value;
  const shownZone = zone.value;

  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (canvas.current === null || host.current === null || width === 0) return;
    surface.current ??= new Surface(canvas.current);
    const theme = readTheme(host.current);
    drawScatter(surface.current.begin(width, HEIGHT), {
      plot,
      colors: traces.map((trace) => serviceColor(trace.root_service, theme.dark)),
      errors: traces.map((trace) => trace.error_count > 0),
      hovered,
      brush,
      timeTicks: timeTicks(plot, shownZone),
      height: HEIGHT,
      theme,
    });
  }, [plot, width, hovered, brush, shownZone, colorsVersion]);

  /** @param {PointerEvent} event */
  const press = (event) => {
    if (event.button !== 0) return;
    pressed.current = event.offsetX;
    canvas.current?.setPointerCapture(event.pointerId);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    const from = pressed.current;
    if (from !== null && (brush !== null || Math.abs(event.offsetX - from) > DRAG_STARTS)) {
      const inside = Math.min(Math.max(event.offsetX, plot.area.left), plot.area.left + plot.area.width);
      setBrush({ from: Math.max(from, plot.area.left), to: inside });
      setHovered(-1);
      return;
    }
    setHovered(nearestPoint(plot, event.offsetX, event.offsetY));
  };
  /** @param {PointerEvent} event */
  const release = (event) => {
    const wasPressed = pressed.current !== null;
    pressed.current = null;
    if (brush !== null) {
      setBrush(null);
      const [left, right] = [Math.min(brush.from, brush.to), Math.max(brush.from, brush.to)];
      if (right - left > DRAG_STARTS) onRange(Math.floor(timeAt(plot, left)), Math.ceil(timeAt(plot, right)));
      return;
    }
    const point = nearestPoint(plot, event.offsetX, event.offsetY);
    if (wasPressed && point >= 0) navigate(`/trace/${traces[point].trace_id}`);
  };
  const cancel = () => {
    pressed.current = null;
    setBrush(null);
    setHovered(-1);
  };

  return html`<figure class="scatter">
    <figcaption class="scatter-caption"><span>Duration over time</span><span class="muted">Click a point to open it, drag to search a time</span></figcaption>
    <div class="scatter-plot" ref=${host}>
      <canvas ref=${canvas} class=${hovered >= 0 ? 'pointing' : ''} role="img"
        aria-label=${`Scatter plot of ${counted(traces.length, 'trace')}: duration over time. The list below holds the same traces.`}
        onPointerDown=${press} onPointerMove=${move} onPointerUp=${release} onPointerCancel=${cancel} onPointerLeave=${() => setHovered(-1)}></canvas>
      ${hovered >= 0 && hovered < traces.length ? html`<${PointTip} trace=${traces[hovered]} plot=${plot} at=${hovered} width=${width} />` : null}
    </div>
  </figure>`;
}

/** @param {{ trace: TraceSummary, plot: ScatterPlot, at: number, width: number }} props */
function PointTip({ trace, plot, at, width }) {
  const onLeft = plot.x[at] > width / 2;
  const place = { top: `${Math.min(plot.y[at], HEIGHT - 70)}px`, [onLeft ? 'right' : 'left']: `${(onLeft ? width - plot.x[at] : plot.x[at]) + 14}px` };
  return html`<div class="tip" style=${place} aria-hidden="true">
    <strong><bdi>${label(trace.root_service, 60)}</bdi></strong>
    <span><bdi>${label(trace.root_name, 80)}</bdi></span>
    <span class="muted">${formatDuration(trace.duration_nano)} · ${counted(trace.span_count, 'span')}${
      trace.error_count > 0 ? ` · ${counted(trace.error_count, 'error')}` : ''
    }</span>
  </div>`;
}

/**
 * Round times in the zone that is shown; with the day where the plot spans more than one.
 * @param {ScatterPlot} plot
 * @param {Zone} zoneShown
 */
function timeTicks(plot, zoneShown) {
  const offsetMs = zoneShown === 'utc' ? 0 : new Date(plot.fromMs).getTimezoneOffset() * -60_000;
  const { stepMs, times } = roundTimes(plot.fromMs, plot.toMs, Math.max(1, Math.floor(plot.area.width / 120)), offsetMs);
  const digits = stepMs < 1000 ? 12 : stepMs < 60_000 ? 8 : 5;
  const withDay = plot.toMs - plot.fromMs > 20 * 3_600_000;
  return times.map((ms) => {
    const date = new Date(ms);
    const time = timePart(date, zoneShown).slice(0, digits);
    const day = datePart(date, zoneShown).slice(5);
    return { x: xOfTime(plot, ms), text: stepMs >= 86_400_000 ? datePart(date, zoneShown) : withDay ? `${day} ${time}` : time };
  });
}
