import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../context.ts';
import { openApiDocument } from '../openapi/document.ts';

/** `GET /openapi.json`. */
export function openApiRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get('/openapi.json', { exposeHeadRoute: true }, () => openApiDocument(context.version));
}
