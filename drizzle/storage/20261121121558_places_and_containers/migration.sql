CREATE TABLE "container" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"kind" text NOT NULL,
	"sample_id" uuid,
	"material" text,
	"label" text NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"state" text NOT NULL,
	"state_since" timestamp(3) with time zone NOT NULL,
	"removed_at" timestamp(3) with time zone,
	CONSTRAINT "container_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "container_event" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"container_id" uuid NOT NULL,
	"predecessor_id" uuid,
	"sample_id" uuid,
	"label" text NOT NULL,
	"what" text NOT NULL,
	"from_box_id" uuid,
	"from_position" text,
	"from_place" text,
	"to_box_id" uuid,
	"to_position" text,
	"to_place" text,
	"reason" text,
	"zone_overridden" boolean DEFAULT false NOT NULL,
	"by_id" text NOT NULL,
	"by" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "container_event_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "node_event" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"node_id" uuid NOT NULL,
	"what" text NOT NULL,
	"from" text,
	"to" text,
	"reason" text,
	"by_id" text NOT NULL,
	"by" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "node_event_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "placement" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"container_id" uuid NOT NULL,
	"box_id" uuid NOT NULL,
	"position" text NOT NULL,
	"live" boolean NOT NULL,
	"contested" boolean DEFAULT false NOT NULL,
	"since" timestamp(3) with time zone NOT NULL,
	"kept" boolean DEFAULT false NOT NULL,
	"held_by_id" text,
	"held_by" text,
	"held_since" timestamp(3) with time zone,
	CONSTRAINT "placement_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "position_mark" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"box_id" uuid NOT NULL,
	"position" text NOT NULL,
	"kind" text NOT NULL,
	"live" boolean NOT NULL,
	"contested" boolean DEFAULT false NOT NULL,
	"until" timestamp(3) with time zone,
	"words" text NOT NULL,
	"marked_at" timestamp(3) with time zone NOT NULL,
	"marked_by_id" text NOT NULL,
	"marked_by" text NOT NULL,
	CONSTRAINT "position_mark_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "storage_node" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"parent_id" uuid,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"zone" text,
	"rows" integer,
	"columns" integer,
	"fill_order" text,
	"code" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"removed_at" timestamp(3) with time zone,
	CONSTRAINT "storage_node_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE INDEX "container_state" ON "container" ("laboratory_id","state","label","id");--> statement-breakpoint
CREATE INDEX "container_since" ON "container" ("laboratory_id","state_since","id");--> statement-breakpoint
CREATE INDEX "container_of_sample" ON "container" ("laboratory_id","sample_id");--> statement-breakpoint
CREATE INDEX "container_label" ON "container" ("laboratory_id","label","id");--> statement-breakpoint
CREATE INDEX "container_event_of_container" ON "container_event" ("laboratory_id","container_id","at","id");--> statement-breakpoint
CREATE INDEX "container_event_of_sample" ON "container_event" ("laboratory_id","sample_id","at","id");--> statement-breakpoint
CREATE INDEX "container_event_to_box" ON "container_event" ("laboratory_id","to_box_id","at","id");--> statement-breakpoint
CREATE INDEX "container_event_from_box" ON "container_event" ("laboratory_id","from_box_id","at","id");--> statement-breakpoint
CREATE INDEX "container_event_after" ON "container_event" ("laboratory_id","predecessor_id");--> statement-breakpoint
CREATE INDEX "node_event_of_node" ON "node_event" ("laboratory_id","node_id","at","id");--> statement-breakpoint
CREATE INDEX "placement_of_container" ON "placement" ("laboratory_id","container_id");--> statement-breakpoint
CREATE INDEX "placement_in_box" ON "placement" ("laboratory_id","box_id");--> statement-breakpoint
CREATE INDEX "placement_held_by" ON "placement" ("laboratory_id","kept","held_by_id");--> statement-breakpoint
CREATE INDEX "storage_node_below" ON "storage_node" ("laboratory_id","parent_id");--> statement-breakpoint
-- A position holds one container. Deferrable, so that containers can change places within one statement.
ALTER TABLE "placement" ADD CONSTRAINT "one_container_per_position"
  EXCLUDE USING btree ("laboratory_id" WITH =, "box_id" WITH =, "position" WITH =)
  WHERE ("live" AND NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;--> statement-breakpoint
-- A container is in one place.
ALTER TABLE "placement" ADD CONSTRAINT "one_position_per_container"
  EXCLUDE USING btree ("laboratory_id" WITH =, "container_id" WITH =)
  WHERE ("live" AND NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;--> statement-breakpoint
-- A position is reserved once, or out of use.
ALTER TABLE "position_mark" ADD CONSTRAINT "one_mark_per_position"
  EXCLUDE USING btree ("laboratory_id" WITH =, "box_id" WITH =, "position" WITH =)
  WHERE ("live" AND NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;
