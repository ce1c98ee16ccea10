import { serveDomain } from '../../platform/service/serve-domain.ts'
import { templatesService } from './service.ts'

serveDomain(templatesService)
