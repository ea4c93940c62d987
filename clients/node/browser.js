'use strict';

const fs = require('node:fs');

const { chromium } = require('playwright-core');

/** Starts a headless Chromium: the one that `CHROMIUM` names, or the system's. */
function launchChromium() {
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
  if (!fs.existsSync(executablePath)) {
    throw new Error(`there is no Chromium at ${executablePath}: install it, or name one with CHROMIUM`);
  }
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, args });
}

module.exports = { launchChromium };
