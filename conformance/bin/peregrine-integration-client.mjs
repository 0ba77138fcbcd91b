#!/usr/bin/env node
import '../dist/src/integration-client.js';
