/**
 * A canvas that is as sharp as the screen: its bitmap follows the device's pixels, and drawing is in
 * CSS pixels.
 */
export class Surface {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this browser has no 2d canvas');
    this.canvas = canvas;
    this.context = context;
    this.width = 0;
    this.height = 0;
    this.ratio = 1;
  }

  /**
   * Clears the canvas and makes it ready to draw on.
   * @param {number} width in CSS pixels
   * @param {number} height in CSS pixels
   */
  begin(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const { canvas, context } = this;
    if (width !== this.width || height !== this.height || ratio !== this.ratio) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      Object.assign(this, { width, height, ratio });
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }
}

/**
 * Calls `draw` once in the next frame, however often it is asked for in this one.
 * @param {() => void} draw
 */
export function frameScheduler(draw) {
  let pending = 0;
  return {
    request() {
      if (pending === 0) {
        pending = requestAnimationFrame(() => {
          pending = 0;
          draw();
        });
      }
    },
    cancel() {
      cancelAnimationFrame(pending);
      pending = 0;
    },
  };
}
