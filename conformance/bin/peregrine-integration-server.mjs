#!/usr/bin/env node
import '../dist/src/integration-server.js';
