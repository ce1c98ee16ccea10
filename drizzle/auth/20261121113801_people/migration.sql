CREATE TABLE "app_user" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"email" text NOT NULL,
	"email_key" text NOT NULL,
	"name" text NOT NULL,
	"status" text NOT NULL,
	"roles" jsonb NOT NULL,
	"badge_code" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "app_user_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "credential" (
	"laboratory_id" uuid,
	"user_id" uuid,
	"password_hash" text NOT NULL,
	"pin_hash" text,
	"failures" integer DEFAULT 0 NOT NULL,
	"locked_until" timestamp(3) with time zone,
	CONSTRAINT "credential_pkey" PRIMARY KEY("laboratory_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "laboratory" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "laboratory_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "refresh_token" (
	"token_hash" text PRIMARY KEY,
	"laboratory_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"used_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "role" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"name" text NOT NULL,
	"permissions" jsonb,
	CONSTRAINT "role_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "session" (
	"laboratory_id" uuid,
	"id" uuid,
	"user_id" uuid NOT NULL,
	"started_at" timestamp(3) with time zone NOT NULL,
	"started_monotonic_ms" bigint NOT NULL,
	"locked" boolean DEFAULT false NOT NULL,
	"ended_at" timestamp(3) with time zone,
	"pin_failures" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "session_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sign_in" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"email" text NOT NULL,
	"user_id" uuid,
	"outcome" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	"workstation" text NOT NULL,
	CONSTRAINT "sign_in_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "signing_key" (
	"id" text PRIMARY KEY,
	"private_key" text NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "app_user_created" ON "app_user" ("laboratory_id","created_at","id");--> statement-breakpoint
CREATE INDEX "session_of_user" ON "session" ("laboratory_id","user_id");--> statement-breakpoint
CREATE INDEX "sign_in_at" ON "sign_in" ("laboratory_id","at","id");--> statement-breakpoint
CREATE INDEX "sign_in_of_user" ON "sign_in" ("laboratory_id","user_id","at");--> statement-breakpoint
-- Nobody shares an e-mail address or a badge with a person who is not deleted. Deferrable, so that two people can
-- change badges within one change set.
ALTER TABLE "app_user" ADD CONSTRAINT "app_user_has_its_own_email"
  EXCLUDE USING btree ("laboratory_id" WITH =, "email_key" WITH =)
  WHERE ("status" <> 'deleted') DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE "app_user" ADD CONSTRAINT "app_user_has_its_own_badge"
  EXCLUDE USING btree ("laboratory_id" WITH =, "badge_code" WITH =)
  WHERE ("badge_code" IS NOT NULL AND "status" <> 'deleted') DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE "role" ADD CONSTRAINT "role_stands_once"
  EXCLUDE USING btree ("laboratory_id" WITH =, "name" WITH =) DEFERRABLE INITIALLY IMMEDIATE;
